/**
 * CONNECT.
 *
 * @module
 */

import { isUnspecified } from "../net/ip_class.ts";
import type { Grant, RequestInfo } from "../policy/rules.ts";
import { ProtocolError } from "../protocol/decoded.ts";
import type { Connection } from "../runtime/runtime.ts";
import type { Exchange, Tunnel } from "./exchange.ts";
import { connectDirectly } from "./happy_eyeballs.ts";
import { reconsider } from "./recheck.ts";
import { findRoute } from "./route.ts";
import type { Session } from "./session.ts";

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
  const { service } = session;
  const peer = await dial(session, exchange, granted);
  session.peer = peer;
  session.address = peer.remote;
  if (session.service !== service) await confirm(session, peer);
  session.tell("connected");
  session.enter("handshake"); // until the reply is out
  await exchange.grant(peer.local);
  return { client: session.connection, target: peer };
}

/** Other options may have come while it was dialled. */
async function confirm(session: Session, peer: Connection): Promise<void> {
  try {
    await session.until(reconsider(session));
  } catch (error) {
    peer.close(); // at once; the client may take its time to read its refusal
    throw error;
  }
}

async function dial(
  session: Session,
  { target }: Pick<Exchange, "target">,
  granted: Grant | undefined,
): Promise<Connection> {
  const { service } = session;
  const { runtime, outgoing } = service;
  const request = session as RequestInfo;
  session.enter("lookup");
  const finding = findRoute(target, request, granted, service);
  const { addresses, grant } = finding instanceof Promise ? await session.until(finding) : finding;
  // Other options may have come while it was looked up.
  if (session.service !== service) return await dial(session, { target }, await session.until(reconsider(session)));
  const admission = session.admit(grant);
  if (admission !== undefined) await session.until(admission);
  session.enter("connect");
  if (service.customDial !== undefined) {
    return await service.customDial(target, { addresses, request, signal: session.signal, runtime, outgoing });
  }
  return await session.dialling((signal) => connectDirectly(target, { addresses, request, signal, runtime, outgoing }));
}
