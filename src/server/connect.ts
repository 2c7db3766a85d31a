/**
 * CONNECT.
 *
 * @module
 */

import { isUnspecified } from "../net/ip_class.ts";
import type { RequestDecision } from "../policy/authorise.ts";
import type { RequestInfo } from "../policy/rules.ts";
import { ProtocolError } from "../protocol/decoded.ts";
import { relay } from "../relay/relay.ts";
import type { Connection } from "../runtime/runtime.ts";
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
  if (target.type !== "name" && isUnspecified(target.host)) {
    throw new ProtocolError("address", `Cannot connect: DST.ADDR is ${target.host}`);
  }
  const peer = await dial(session, exchange, decision);
  session.peer = peer;
  session.address = peer.remote;
  session.tell("connected");
  session.enter("handshake"); // until the reply is out
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

async function dial(session: Session, { target }: Exchange, decision: RequestDecision): Promise<Connection> {
  const { service } = session;
  const request = session as RequestInfo;
  session.enter("lookup");
  const checking = checkedAddresses(target, request, decision, service);
  const addresses = checking instanceof Promise ? await session.until(checking) : checking;
  session.enter("connect");
  session.watchClient();
  return await service.dial(target, { addresses, request, signal: session.signal, runtime: service.runtime });
}
