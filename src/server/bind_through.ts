/**
 * BIND through a way out.
 *
 * @module
 */

import type { SocketAddress } from "../net/address.ts";
import { NetError, netErrorCode } from "../net/errors.ts";
import type { RequestInfo } from "../policy/rules.ts";
import { UnableError } from "../upstream/unable_error.ts";
import type { WayBinding, WayOpened, WayOut } from "../upstream/way_out.ts";
import type { Target } from "../protocol/address.ts";
import type { Exchange } from "./exchange.ts";
import type { Session } from "./session.ts";

/** Who came. */
type Arrival = WayOpened & { readonly peer: Target };

/**
 * Has a way out listen for the peer, and says where.
 *
 * @param session The session.
 * @param exchange The request.
 * @param way The way out.
 * @param addresses The peer's addresses; none if it may be anyone, or its name is left to the other end.
 * @returns The listener. Close it.
 * @throws {NetError} `not-supported` if the way cannot, or why the other end does not.
 */
export async function bindBy(
  session: Session,
  { protocol, target }: Exchange,
  way: WayOut,
  addresses: readonly SocketAddress[],
): Promise<WayBinding> {
  if (way.bind === undefined) throw new UnableError("bind", way.name);
  session.enter("connect");
  // Not `until`: what ends with the signal says how far it had come.
  const binding = await way.bind(target, {
    request: session as RequestInfo,
    signal: session.signal,
    runtime: session.service.runtime,
    keepsName: addresses.length === 0,
    addresses: () => Promise.resolve(addresses),
  });
  if (protocol === "socks5" || binding.address.type === "ipv4") return binding;
  binding.close();
  throw new NetError("not-supported", `Cannot bind for ${target.host}: SOCKS4 cannot state "${binding.address.host}"`);
}

/**
 * Waits for the peer of a binding.
 *
 * @throws {NetError} If none comes.
 */
export async function acceptBy(session: Session, binding: WayBinding): Promise<Arrival> {
  try {
    return await binding.accept(session.signal);
  } catch (error) {
    const code = netErrorCode(error);
    if (code !== "closed" && code !== "reset") throw error;
    // What says so of the client would tell it nothing.
    throw new NetError("unknown", error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** The peer's address; `undefined` if the other end does not say it. */
export function addressOfPeer({ peer }: Arrival): SocketAddress | undefined {
  return peer.type === "name" ? undefined : { ip: peer.host, port: peer.port };
}
