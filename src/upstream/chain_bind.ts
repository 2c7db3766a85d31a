/**
 * BIND through a chain of proxies.
 *
 * @module
 */

import { dialThrough, type DialThroughContext } from "../client/dial_through.ts";
import { awaitPeer } from "../client/handshake.ts";
import type { Proxy } from "../client/proxy.ts";
import { reachable } from "../client/reachable.ts";
import { NO_ADDRESS, type Target, targetOf } from "../protocol/address.ts";
import { Command } from "../protocol/constants.ts";
import type { Connection, Duplex } from "../runtime/runtime.ts";
import type { WayBinding, WayContext, WayOpened } from "./way_out.ts";

/** Whether a chain can listen for a peer, as far as the last proxy's protocol goes. */
export function canBind(hops: readonly Proxy[]): boolean {
  return hops.at(-1)?.scheme.startsWith("socks") === true;
}

/**
 * Has the last proxy of a chain listen for one peer.
 *
 * @param hops The proxies.
 * @param dial What dialling them needs.
 * @param expected Who is to come; zeros expect anyone.
 * @param context Whether its name is left to the last proxy, and its addresses if not.
 * @throws {NetError} If its name has no address that is allowed.
 * @throws {ProxyError} Whatever goes wrong on the way.
 */
export async function bindThroughChain(
  hops: readonly Proxy[],
  dial: DialThroughContext,
  expected: Target,
  context: Pick<WayContext, "keepsName" | "addresses">,
): Promise<WayBinding> {
  let peer = expected;
  if (expected.type === "name" && !context.keepsName) {
    const address = (await context.addresses())[0];
    peer = address === undefined ? NO_ADDRESS : targetOf(address.ip, address.port);
  }
  const { connection, bound } = await dialThrough(hops, peer, { ...dial, command: Command.BIND });
  return new ChainBinding(connection, hops, reachable(bound, hops, connection));
}

class ChainBinding implements WayBinding {
  readonly address: Target;
  readonly #connection: Connection & Duplex;
  readonly #hops: readonly Proxy[];

  constructor(connection: Connection & Duplex, hops: readonly Proxy[], address: Target) {
    this.#connection = connection;
    this.#hops = hops;
    this.address = address;
  }

  async accept(signal: AbortSignal): Promise<WayOpened & { readonly peer: Target }> {
    const hop = this.#hops.length - 1;
    const { connection, bound } = await awaitPeer(this.#connection, this.#hops[hop]!, { hop, signal });
    return { connection, peer: bound, bound: this.address };
  }

  close(): void {
    this.#connection.close();
  }
}
