/**
 * From a client of a UDP forward to its target and back.
 *
 * @module
 */

import { abortSignalOf } from "../client/light_signal.ts";
import type { SocketAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { NotAllowedError } from "../policy/authorise.ts";
import type { Grant, RequestInfo } from "../policy/rules.ts";
import type { DatagramSocket } from "../runtime/runtime.ts";
import { UnableError } from "../upstream/unable_error.ts";
import type { WayOut } from "../upstream/way_out.ts";
import { addressTarget, type Exchange } from "./exchange.ts";
import type { DatagramSession } from "./forward_datagram_session.ts";
import { reconsider } from "./recheck.ts";
import { findRoute } from "./route.ts";
import type { Session } from "./session.ts";

/** The way to the target. */
interface Outlet {
  /** The address at the other end, as far as it is known. */
  readonly address: SocketAddress | undefined;
  send(data: Uint8Array): void;
  close(): void;
}

/**
 * Relays the datagrams of one client of a forward, until it has been silent for long enough.
 *
 * @param client The client.
 * @param exchange What it is there for.
 * @param granted What the rules said of that.
 * @throws {NetError} `not-allowed`, or why there is no way to the target.
 */
export async function serveForwardedDatagrams(
  client: Session,
  exchange: Exchange,
  granted: Grant | undefined,
): Promise<undefined> {
  const session = client as DatagramSession;
  let outlet: Outlet | undefined;
  try {
    outlet = await openOutlet(session, granted);
    session.address = outlet.address;
    session.tell("connected");
    exchange.grant(undefined);
    session.enter("idle");
    const { send } = outlet;
    session.outlet = send;
    await session.channel.readChunk();
  } catch (error) {
    if (!session.isDone) throw error;
  } finally {
    outlet?.close();
  }
}

async function openOutlet(session: DatagramSession, granted: Grant | undefined): Promise<Outlet> {
  const { service } = session;
  const { target } = session.forward;
  const request = session as RequestInfo;
  session.enter("lookup");
  if (target.type === "name" && !await session.until(service.authoriser.lookup(target, request))) {
    throw new NotAllowedError({ deny: `the rules deny the name "${target.host}"` });
  }
  const finding = findRoute(target, request, granted, service);
  const { addresses: [address], grant, way } = finding instanceof Promise ? await session.until(finding) : finding;
  // Other options may have come while it was looked up.
  if (session.service !== service) return await openOutlet(session, await session.until(reconsider(session)));
  session.way = way;
  const admission = session.admit(grant);
  if (admission !== undefined) await session.until(admission);
  session.enter("connect");
  const outlet = way !== undefined ? await through(way, session, address) : await directly(session, address);
  if (session.service === service) return outlet;
  outlet.close();
  session.leave();
  return await openOutlet(session, await session.until(reconsider(session)));
}

async function directly(session: DatagramSession, address: SocketAddress | undefined): Promise<Outlet> {
  if (address === undefined) {
    throw new NetError(
      "name-not-found",
      `Cannot send to "${session.forward.target.host}": names are not resolved here`,
    );
  }
  const { ip, port } = address;
  const { runtime, outgoing } = session.service;
  const any = ip.includes(":") ? "::" : "0.0.0.0";
  const binding = runtime.bindDatagram({
    address: { ip: outgoing?.sourceFor(ip, session as RequestInfo) ?? any, port: 0 },
    onDatagram: (bytes, fromIp, fromPort) => {
      if (fromPort === port && fromIp === ip) session.fromTarget(bytes);
    },
  });
  let socket: DatagramSocket;
  try {
    socket = await session.until(binding);
  } catch (error) {
    binding.then((late) => late.close(), () => {});
    throw error;
  }
  return { address, send: (data) => socket.send(data, ip, port), close: () => socket.close() };
}

/** By way of somebody else, who is told the name if there is no address. */
async function through(way: WayOut, session: DatagramSession, address: SocketAddress | undefined): Promise<Outlet> {
  if (way.associate === undefined) throw new UnableError("forward datagrams", way.name);
  const target = address === undefined ? session.forward.target : addressTarget(address);
  // Where a name leads only the other end knows: to where the first answer comes from.
  let host = address?.ip;
  const tunnel = await session.dialling((signal) =>
    way.associate!({
      request: session as RequestInfo,
      signal: abortSignalOf(signal),
      runtime: session.service.runtime,
      keepsName: address === undefined,
      addresses: () => Promise.resolve(address === undefined ? [] : [address]),
    }, (data, source) => {
      if (source.port === target.port && source.host === (host ??= source.host)) session.fromTarget(data);
    })
  );
  tunnel.closed.then(() => session.stop(new NetError("reset", "The way out has ended"), "reset"), () => {});
  return { address, send: (data) => tunnel.send(data, target), close: () => tunnel.close() };
}
