/**
 * CONNECT.
 *
 * @module
 */

import type { SocketAddress } from "../net/address.ts";
import { isUnspecified } from "../net/ip_class.ts";
import type { Grant, RequestInfo } from "../policy/rules.ts";
import { ProtocolError } from "../protocol/decoded.ts";
import { abortSignalOf } from "../client/light_signal.ts";
import type { Target } from "../protocol/address.ts";
import type { Connection } from "../runtime/runtime.ts";
import { isSameWay } from "../upstream/same_way.ts";
import type { WayOut } from "../upstream/way_out.ts";
import type { Exchange, Tunnel } from "./exchange.ts";
import { connectDirectly } from "./happy_eyeballs.ts";
import { reconsider } from "./recheck.ts";
import { findRoute } from "./route.ts";
import type { Session } from "./session.ts";
import type { Traveller } from "./ways_of.ts";

/**
 * Dials the target and replies.
 *
 * @returns What to relay between.
 * @throws {ProtocolError} For a target that is none.
 * @throws {NetError} `not-allowed`, or why the target could not be reached.
 */
export async function serveConnect(session: Session, exchange: Exchange, granted: Grant | undefined): Promise<Tunnel> {
  const { target } = exchange;
  if (target.port === 0) throw new ProtocolError("port", "Cannot connect: DST.PORT is 0");
  if (target.type !== "name" && isUnspecified(target.host)) {
    throw new ProtocolError("address", `Cannot connect: DST.ADDR is ${target.host}`);
  }
  const { connection, bound } = await reach(session, target, granted);
  session.tell("connected");
  session.enter("handshake"); // until the reply is out
  await exchange.grant(bound);
  return { client: session.connection, target: connection };
}

/** The other end. */
interface Reached {
  readonly connection: Connection;
  /** The address that the target sees, as far as it is known. */
  readonly bound: SocketAddress | Target | undefined;
  /** The target's address, as far as it is known. */
  readonly address: SocketAddress | undefined;
}

async function reach(session: Session, target: Target, granted: Grant | undefined): Promise<Reached> {
  const { service } = session;
  const dialled = await dial(session, target, granted);
  const { connection, address } = dialled;
  session.peer = connection;
  session.address = address;
  if (session.service === service) return dialled;
  // Other options have come while it was dialled.
  let grant: Grant | undefined;
  try {
    grant = await session.until(reconsider(session));
    const way = session.service.wayFor(grant, session as Traveller);
    if (isSameWay(session.way, way, session.viaMember)) {
      session.way = way;
      return dialled;
    }
  } catch (error) {
    connection.close(); // at once; the client may take its time to read its refusal
    throw error;
  }
  connection.close();
  session.address = undefined;
  session.leave();
  return await reach(session, target, grant);
}

async function dial(session: Session, target: Target, granted: Grant | undefined): Promise<Reached> {
  const { service } = session;
  const { runtime, outgoing } = service;
  const request = session as RequestInfo;
  session.enter("lookup");
  const finding = findRoute(target, request, granted, service);
  const { addresses, grant, way } = finding instanceof Promise ? await session.until(finding) : finding;
  // Other options may have come while it was looked up.
  if (session.service !== service) return await dial(session, target, await session.until(reconsider(session)));
  session.way = way;
  const admission = session.admit(grant);
  if (admission !== undefined) await session.until(admission);
  session.enter("connect");
  if (way !== undefined) return await dialBy(way, session, target, addresses);
  if (service.customDial !== undefined) {
    const { signal } = session;
    const dialled = await service.customDial(target, { addresses, request, signal, runtime, outgoing });
    const { connection, bound = connection.local, address = connection.remote } = dialled;
    return { connection, bound, address };
  }
  const connection = await session.dialling((signal) =>
    connectDirectly(target, { addresses, request, signal, runtime, outgoing })
  );
  return { connection, bound: connection.local, address: connection.remote };
}

async function dialBy(
  way: WayOut,
  session: Session,
  target: Target,
  addresses: readonly SocketAddress[],
): Promise<Reached> {
  const { connection, bound, address, by } = await session.dialling((signal) =>
    way.connect(target, {
      request: session as RequestInfo,
      signal: abortSignalOf(signal),
      runtime: session.service.runtime,
      keepsName: addresses.length === 0,
      addresses: () => Promise.resolve(addresses),
    })
  );
  session.viaMember = by;
  return { connection, bound, address };
}
