/**
 * From a client of a UDP forward to its target and back.
 *
 * @module
 */

import type { SocketAddress } from "../net/address.ts";
import { NotAllowedError } from "../policy/authorise.ts";
import type { Grant, RequestInfo } from "../policy/rules.ts";
import type { DatagramSocket } from "../runtime/runtime.ts";
import type { Exchange } from "./exchange.ts";
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
  const { addresses: [address], grant } = finding instanceof Promise ? await session.until(finding) : finding;
  if (session.service !== service) return await openOutlet(session, await session.until(reconsider(session)));
  const admission = session.admit(grant);
  if (admission !== undefined) await session.until(admission);
  session.enter("connect");
  return await directly(session, address!);
}

async function directly(session: DatagramSession, address: SocketAddress): Promise<Outlet> {
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
