/**
 * The handshake of an HTTP proxy: the request, and who makes it.
 *
 * @module
 */

import type { Authenticate } from "../auth/authenticate.ts";
import { AuthenticationError } from "../auth/method.ts";
import { ProxyError } from "../client/proxy_error.ts";
import { LimitError } from "../policy/account.ts";
import { NotAllowedError } from "../policy/authorise.ts";
import { Command } from "../protocol/constants.ts";
import { ProtocolError } from "../protocol/decoded.ts";
import type { Target } from "../protocol/address.ts";
import { Exchange } from "./exchange.ts";
import { answer, type AnswerOptions, noSite, statusOfError, statusOfReply } from "./http_answer.ts";
import { badMessage, bytesOf, headDecoder, MAX_HEAD } from "../protocol/http_head.ts";
import { logIn } from "./http_login.ts";
import { type HttpRequest, parseRequest } from "./http_request.ts";
import { isMixed } from "./mixed.ts";
import type { Session } from "./session.ts";

const NOTHING = new Uint8Array(0);
const ESTABLISHED = bytesOf("HTTP/1.1 200 Connection established\r\n\r\n");

/** A request of HTTP. Both kinds connect; what follows differs. */
export class HttpExchange extends Exchange {
  /** The request to forward when it is granted; absent for CONNECT. */
  readonly forwarded: HttpRequest | undefined;
  readonly #request: HttpRequest;
  readonly #channel: Session["channel"];

  constructor(session: Session, request: HttpRequest, target: Target) {
    const isTunnel = request.method === "CONNECT";
    const granted = isTunnel ? ESTABLISHED : NOTHING; // an origin answers for itself
    super("http", Command.CONNECT, target, session.channel, () => granted);
    this.forwarded = isTunnel ? undefined : request;
    this.#request = request;
    this.#channel = session.channel;
  }

  override refuse(reply: number, error?: unknown): Promise<void> | undefined {
    this.replied = true;
    const status = statusOfReply(reply);
    const text = status === 403 ? reasonOf(error) : undefined;
    return this.#channel.write(answer(status, { ...optionsOf(this.#request), text }));
  }
}

/** What forbids it, in words for the client: a rule's own, where its operator wrote some down. */
function reasonOf(error: unknown): string | undefined {
  if (error instanceof NotAllowedError) return error.denial.told;
  if (error instanceof LimitError) return "A limit of this proxy does not allow that now.";
  return error instanceof ProxyError ? "A proxy on the way does not allow that." : undefined;
}

/** Whether a client is served if it speaks HTTP. Where nothing listens that takes a word. */
export function servesHttp({ service, listener }: Session): boolean {
  const { mixed } = service.options;
  return listener === undefined ? mixed === true : isMixed(mixed, service.listeners);
}

/**
 * Reads up to a request that can be decided on.
 *
 * @param session The client.
 * @param read The request, if it has been read already.
 * @throws {AuthenticationError} If the client has not proven to be anyone; it has been told.
 * @throws {ProtocolError} For what is no request to a proxy; the client has been told.
 */
export async function readHttp(session: Session, read?: HttpRequest): Promise<HttpExchange> {
  let request: HttpRequest | undefined;
  try {
    request = read ?? await readRequest(session);
    if (await isChallenged(session, request)) {
      request = undefined;
      request = await readRequest(session);
    }
    if (request.target === undefined) throw badMessage("it is for a web site, expected one for a proxy");
  } catch (error) {
    if (error instanceof ProtocolError) {
      const isSite = request !== undefined && request.target === undefined;
      await session.channel.write(isSite ? noSite(optionsOf(request!)) : answer(statusOfError(error)));
    }
    throw error;
  }
  await identify(session, request);
  session.enter("handshake");
  return new HttpExchange(session, request, request.target);
}

/** Reads the head of a request. */
export async function readRequest({ channel }: Session): Promise<HttpRequest> {
  return parseRequest(await channel.read(headDecoder("request"), MAX_HEAD));
}

/** Programs ask first without a login, to be told which one is wanted, and then again. That alone is no failed login. */
async function isChallenged(session: Session, request: HttpRequest): Promise<boolean> {
  if (loginOf(session) === undefined || request.credentials !== undefined) return false;
  const hasBody = request.framing !== undefined && request.framing !== 0;
  if (request.target === undefined || !request.keepsAlive || hasBody) return false;
  await session.channel.write(answer(407, { ...optionsOf(request), keepsAlive: true }));
  return true;
}

function loginOf({ service, listenerName }: Session): Authenticate | undefined {
  return service.loginFor(listenerName);
}

async function identify(session: Session, request: HttpRequest): Promise<void> {
  const authenticate = loginOf(session);
  if (authenticate === undefined) return;
  session.enter("authentication");
  try {
    if (request.credentials === undefined) throw new AuthenticationError("Cannot log in: no Proxy-Authorization");
    session.user = await logIn(session, request.credentials, authenticate);
  } catch (error) {
    if (error instanceof AuthenticationError) await session.channel.write(answer(407, optionsOf(request)));
    throw error;
  }
  session.tell("authenticated");
}

function optionsOf({ method }: HttpRequest): AnswerOptions {
  return { isHead: method === "HEAD" };
}
