/**
 * The SOCKS5 handshake (RFC 1928): methods, authentication, request.
 *
 * @module
 */

import { AuthenticationError, chooseMethod } from "../auth/method.ts";
import { NO_ADDRESS } from "../protocol/address.ts";
import { Method } from "../protocol/constants.ts";
import { ProtocolError } from "../protocol/decoded.ts";
import { replyCodeOf } from "../protocol/reply_code.ts";
import {
  decodeGreeting,
  decodeRequest,
  encodeMethodSelection,
  encodeReply,
  MAX_GREETING,
  MAX_REQUEST,
} from "../protocol/socks5.ts";
import { Exchange } from "./exchange.ts";
import type { Session } from "./session.ts";

/**
 * Reads up to the request.
 *
 * @throws {AuthenticationError} If the client has not proven to be anyone; it has been told.
 * @throws {ProtocolError} For bytes that no RFC allows; the client has been told what the RFC has a code for.
 */
export async function readSocks5(session: Session): Promise<Exchange> {
  await negotiate(session);
  const { channel } = session; // a method may have put another in its place
  session.enter("handshake");
  try {
    const { command, target } = await channel.read(decodeRequest, MAX_REQUEST);
    return new Exchange("socks5", command, target, channel, (reply, bound) => encodeReply({ reply, bound }));
  } catch (error) {
    if (error instanceof ProtocolError) {
      await channel.write(encodeReply({ reply: replyCodeOf(error), bound: NO_ADDRESS }));
    }
    throw error;
  }
}

async function negotiate(session: Session): Promise<void> {
  const { channel, service } = session;
  let offered: readonly number[];
  try {
    offered = await channel.read(decodeGreeting, MAX_GREETING);
  } catch (error) {
    if (error instanceof ProtocolError) await channel.write(encodeMethodSelection(Method.NO_ACCEPTABLE));
    throw error;
  }
  const method = chooseMethod(service.methods.of(session.listenerName), offered);
  await channel.write(encodeMethodSelection(method?.code ?? Method.NO_ACCEPTABLE));
  if (method === undefined) {
    throw new AuthenticationError(`Cannot agree on a method: the client offers ${offered.join(", ")}`);
  }
  if (method.code === Method.NONE) return;
  session.enter("authentication");
  const negotiating = method.negotiate(channel, session);
  const negotiated = await session.until(negotiating).catch((error) => {
    negotiating.then(({ duplex }) => duplex?.close(), () => {}); // it came too late
    throw error;
  });
  session.encapsulate(negotiated);
  session.user = negotiated.user;
  if (session.user !== undefined) session.tell("authenticated");
  else if (method.anonymous !== true) throw new AuthenticationError(`Cannot log in: "${method.name}" names no user`);
}
