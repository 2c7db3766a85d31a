/**
 * CONNECT.
 *
 * @module
 */

import { classifyIp } from "../net/ip_class.ts";
import type { RequestDecision } from "../policy/authorise.ts";
import type { RequestInfo } from "../policy/rules.ts";
import { ProtocolError } from "../protocol/decoded.ts";
import { relay } from "../relay/relay.ts";
import type { Connection } from "../runtime/runtime.ts";
import { connectionOf } from "../stream/connection_of.ts";
import type { Exchange } from "./exchange.ts";
import { checkedAddresses } from "./route.ts";
import type { Session } from "./session.ts";

/**
 * Dials the target, replies and relays until both directions have ended.
 *
 * @throws {ProtocolError} For a target that is none.
 * @throws {NetError} `not-allowed`, or why the target could not be reached or the relay broke.
 */
export async function serveConnect(session: Session, exchange: Exchange, decision: RequestDecision): Promise<void> {
  const { target } = exchange;
  if (target.port === 0) throw new ProtocolError("port", "Cannot connect: DST.PORT is 0");
  if (target.type !== "name" && classifyIp(target.host) === "unspecified") {
    throw new ProtocolError("address", `Cannot connect: DST.ADDR is ${target.host}`);
  }
  const peer = await dial(session, exchange, decision);
  session.peer = peer;
  session.address = peer.remote;
  session.tell("connected");
  await exchange.grant(peer.local);
  await relayWith(session, peer);
}

/** Relays between the client and `peer`, with what the client sent ahead. */
export async function relayWith(session: Session, peer: Connection, client = session.connection): Promise<void> {
  session.enter("idle");
  const rest = session.channel.takeRest();
  const early = rest.length > 0 ? rest.slice() : rest; // the relay may read into the memory it lies in
  await relay({ client, target: peer, early, meter: session }, session.service.runtime);
}

async function dial(session: Session, exchange: Exchange, decision: RequestDecision): Promise<Connection> {
  const { service, signal } = session;
  const request = session as RequestInfo;
  session.enter("lookup");
  const addresses = await session.until(checkedAddresses(exchange.target, request, decision, service));
  session.enter("connect");
  const context = { addresses, request, signal, runtime: service.runtime };
  const dialling = (async () => connectionOf(await service.dial(exchange.target, context)))();
  try {
    return await session.until(dialling);
  } catch (error) {
    // A dialler that does not heed the signal may still succeed, for nobody.
    dialling.then((late) => late.close(), () => {});
    throw error;
  }
}
