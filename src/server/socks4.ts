/**
 * The SOCKS4 and 4a handshake: the request, and who makes it.
 *
 * @module
 */

import { askIdent, latin1 } from "../auth/ident.ts";
import { isUser } from "../auth/client_info.ts";
import { AuthenticationError, refusedLogin } from "../auth/method.ts";
import { NO_ADDRESS } from "../protocol/address.ts";
import { Reply, Socks4Reply } from "../protocol/constants.ts";
import { ProtocolError } from "../protocol/decoded.ts";
import { decodeSocks4Request, encodeSocks4Reply, MAX_SOCKS4_REQUEST, type Socks4Request } from "../protocol/socks4.ts";
import { type EncodeReply, Exchange } from "./exchange.ts";
import type { Session } from "./session.ts";

/**
 * Reads the request and checks its user id.
 *
 * @throws {AuthenticationError} If the user id will not do; the client has been told (91, 92 or 93).
 * @throws {ProtocolError} For bytes that SOCKS4 does not have; the client has been told (91).
 */
export async function readSocks4(session: Session): Promise<Exchange> {
  const { channel } = session;
  let request: Socks4Request;
  try {
    request = await channel.read(decodeSocks4Request, MAX_SOCKS4_REQUEST);
  } catch (error) {
    if (error instanceof ProtocolError) await refuse(session, Socks4Reply.REJECTED);
    throw error;
  }
  await identify(session, request);
  if (session.user !== undefined) session.tell("authenticated");
  session.enter("handshake");
  const { command, target, isSocks4a } = request;
  return new Exchange(isSocks4a ? "socks4a" : "socks4", command, target, channel, encodeReply);
}

const encodeReply: EncodeReply = (reply, bound) =>
  encodeSocks4Reply({ reply: reply === Reply.SUCCEEDED ? Socks4Reply.GRANTED : Socks4Reply.REJECTED, bound });

/** SOCKS4 knows no password: where logins are needed, only what IDENT confirms or the operator's own check takes will do. */
async function identify(session: Session, { userId }: Socks4Request): Promise<void> {
  const { service } = session;
  const username = new TextDecoder("utf-8", { ignoreBOM: true }).decode(userId);
  const quoted = JSON.stringify(username);
  const verified = service.options.ident === true;
  const authenticate = service.loginFor(session.listenerName);
  if (!verified && authenticate === undefined) return;
  if (verified) {
    session.enter("lookup"); // out of time means no identd, and a reply that says so
    const found = await identUser(session);
    if (found === undefined) {
      await refuse(session, Socks4Reply.NO_IDENTD);
      throw new AuthenticationError(`Cannot check the user id ${quoted}: no identd on the client's host knows it`);
    }
    if (found !== latin1(userId)) {
      await refuse(session, Socks4Reply.USER_MISMATCH);
      throw new AuthenticationError(`Cannot serve the user id ${quoted}: identd says ${JSON.stringify(found)}`);
    }
    session.user = { name: username };
  }
  if (authenticate === undefined) return;
  session.enter("authentication");
  const check = async () => await authenticate({ method: "user-id", username, verified }, session);
  let cause: unknown;
  const answer = await session.until(check().catch((error) => void (cause = error)));
  session.user = isUser(answer) ? answer : undefined;
  if (session.user !== undefined) return;
  await refuse(session, Socks4Reply.REJECTED);
  if (cause !== undefined) throw refusedLogin(`as ${quoted}`, "", cause);
  throw new AuthenticationError(`Cannot serve the user id ${quoted}: this server wants a password, SOCKS4 has none`);
}

/** The user that identd names; `undefined` if none answers, or none that it knows. */
async function identUser(session: Session): Promise<string | undefined> {
  const { client, signal, connection: { local: server } } = session;
  if (client === undefined || server === undefined) return undefined;
  try {
    return await askIdent(session.service.runtime, { client, server, signal });
  } catch {
    return undefined;
  }
}

function refuse(session: Session, reply: number): Promise<void> | undefined {
  return session.channel.write(encodeSocks4Reply({ reply, bound: NO_ADDRESS }));
}
