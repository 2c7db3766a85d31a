/**
 * Requests in absolute form, forwarded one after another over one connection to their origin.
 *
 * @module
 */

import { NetError } from "../net/errors.ts";
import { ProtocolError } from "../protocol/decoded.ts";
import { leave, withRead } from "../relay/relay.ts";
import type { Connection, Duplex } from "../runtime/runtime.ts";
import { Channel } from "../stream/channel.ts";
import { duplexOf } from "../stream/duplex_of.ts";
import type { Ending, Tunnel } from "./exchange.ts";
import { readRequest } from "./http.ts";
import { answer, statusOfError } from "./http_answer.ts";
import { copyBody, type WriteBody } from "./http_body.ts";
import { headDecoder, MAX_HEAD } from "../protocol/http_head.ts";
import { encodeRequest, type HttpRequest, isForSame } from "./http_request.ts";
import { encodeResponse, type HttpResponse, parseResponse } from "./http_response.ts";
import type { Session } from "./session.ts";

/** A request that leads elsewhere: another session goes on with the client's connection. */
export interface Succession {
  readonly next: Session;
  readonly request: HttpRequest;
}

const FINISHED: Ending = { cause: "finished" };

/**
 * Forwards a request, and those that follow it to the same origin. What the client may do with its connection after an
 * answer is what we may do with ours to the origin, so that it sees what it would see without us.
 *
 * @param session The client, which was granted the request.
 * @param first The request.
 * @param peer The connection to its origin.
 * @returns How it ended; or what to relay between, if both ends switched to WebSocket; or who is to go on.
 */
export async function forward(
  session: Session,
  first: HttpRequest,
  peer: Connection,
): Promise<Tunnel | Ending | Succession> {
  const origin = new Channel(duplexOf(peer));
  let request = first;
  for (;;) {
    const outcome = await new Forwarding(session, origin, peer, request, request === first).run();
    if (outcome !== undefined) return outcome;
    let next: HttpRequest | undefined;
    try {
      next = await nextRequest(session, origin);
    } catch (error) {
      if (error instanceof ProtocolError) return await refuse(session, error);
      throw error;
    }
    if (next === undefined) return FINISHED;
    if (!isForSame(request, next) || next.method === "CONNECT" || !provesSame(session, request, next)) {
      return await succession(session, next);
    }
    request = next;
  }
}

/** Whether the next request is made by whom this session is for; where nobody has to log in that goes without saying. */
function provesSame({ service, listenerName }: Session, request: HttpRequest, next: HttpRequest): boolean {
  return service.loginFor(listenerName) === undefined || request.credentials === next.credentials;
}

async function succession(session: Session, request: HttpRequest): Promise<Ending | Succession> {
  const next = session.succeed?.(session);
  if (next !== undefined) return { next, request };
  await session.channel.write(answer(503));
  await session.closeGently();
  return FINISHED;
}

/** Waits for the client to ask again. An origin that leaves or speaks meanwhile is done with. */
async function nextRequest(session: Session, origin: Channel): Promise<HttpRequest | undefined> {
  if (origin.takeRest().length > 0 || session.isLast) return undefined;
  session.enter("idle");
  const spoke = (): boolean => false;
  const left = origin.beginRead().then(spoke, spoke);
  const asked = session.channel.peek().then((byte) => byte !== undefined, spoke);
  session.isResting = true;
  const goesOn = await Promise.race([asked, left]);
  session.isResting = false;
  if (session.stopped !== undefined) throw session.stopped.reason;
  if (!goesOn) return undefined;
  session.enter("handshake");
  return await readRequest(session);
}

async function refuse(session: Session, error: ProtocolError): Promise<Ending> {
  session.leave();
  session.tell("refused", { cause: "protocol", reason: error.message, error });
  await session.channel.write(answer(statusOfError(error)));
  await session.closeGently();
  return { cause: "refused", reason: error.message };
}

/** One request and its answer, which may come before all of the request is said. */
class Forwarding {
  readonly #session: Session;
  readonly #origin: Channel;
  readonly #peer: Connection;
  readonly #request: HttpRequest;
  /** Whether the connection to the origin is new: then it is our word that it can be reached. */
  readonly #isFirst: boolean;
  /** Fulfilled when no more of the request goes up. */
  #said: Promise<void> | undefined;
  /** Whether all of it has. */
  #isSaid = false;
  /** What was wrong with what the client said, not with where it went. */
  #fault: { readonly error: unknown } | undefined;
  #isAnswered = false;

  constructor(session: Session, origin: Channel, peer: Connection, request: HttpRequest, isFirst: boolean) {
    this.#session = session;
    this.#origin = origin;
    this.#peer = peer;
    this.#request = request;
    this.#isFirst = isFirst;
  }

  /** Does it. `undefined` is the answer if the client may ask again. */
  async run(): Promise<Tunnel | Ending | undefined> {
    const session = this.#session;
    session.enter("idle");
    let response: HttpResponse;
    try {
      response = await session.until(this.#ask()); // out of time the client still gets an answer
    } catch (error) {
      return await this.#unanswered(error);
    }
    if (response.status === 101) return await this.#switch(response);
    const keepsAlive = this.#request.keepsAlive && response.keepsAlive && this.#isSaid && !session.isLast;
    await this.#down(encodeResponse(response, this.#request, keepsAlive));
    await this.#body(response);
    this.#isAnswered = true;
    if (keepsAlive) return undefined;
    session.enter("closing");
    session.channel.duplex.closeWrite();
    this.#peer.close();
    await this.#said;
    await session.closeGently();
    return FINISHED;
  }

  /** Sends the request, and waits for the head of its answer. */
  async #ask(): Promise<HttpResponse> {
    await send(this.#session, this.#origin.duplex, encodeRequest(this.#request), true);
    this.#said = this.#say();
    return await this.#head();
  }

  /** Sends the body up. Never throws: the origin may have answered already, whatever became of the rest. */
  async #say(): Promise<void> {
    const { framing = 0 } = this.#request;
    const session = this.#session;
    let isDeaf = false;
    const write: WriteBody = async (bytes) => {
      try {
        await send(session, this.#origin.duplex, bytes, true);
      } catch (error) {
        isDeaf = true;
        throw error;
      }
    };
    try {
      if (framing !== 0) await copyBody(session.channel, framing, write);
      this.#isSaid = true;
    } catch (error) {
      if (isDeaf || this.#isAnswered) return;
      this.#fault = { error };
      this.#peer.close(error); // a reset: what it got is not all
      return;
    }
    if (!this.#request.upgrades) this.#watch();
  }

  /** The client may leave while it waits for its answer; what it asks ahead is kept. */
  #watch(): void {
    const session = this.#session;
    session.channel.beginRead().then((chunk) => {
      if (chunk === null && !this.#isAnswered && session.phase === "idle") session.enter("halfClosed");
    }, () => {
      if (!this.#isAnswered) session.stop(new NetError("reset", "The client left"), "reset");
    });
  }

  /** The head of the answer proper; those that come before it are handed on. */
  async #head(): Promise<HttpResponse> {
    for (;;) {
      const response = parseResponse(await this.#origin.read(headDecoder("response"), MAX_HEAD), this.#request);
      if (response.status >= 200) return response;
      if (response.status === 101) {
        if (this.#request.upgrades) return response;
        throw new NetError("reset", "Cannot forward: the origin switched protocols unasked");
      }
      if (this.#request.minor === 1) await this.#down(encodeResponse(response, this.#request, true));
    }
  }

  /** There is no answer to hand on: says so, or leaves as the origin did. */
  async #unanswered(error: unknown): Promise<Ending> {
    const session = this.#session;
    const { stopped } = session;
    if (stopped !== undefined && stopped.cause !== "timeout") throw stopped.reason;
    const fault = this.#fault?.error;
    if (fault instanceof ProtocolError) return await refuse(session, fault);
    if (fault !== undefined) throw fault;
    const reason = error instanceof Error ? error.message : String(error);
    this.#peer.close();
    // A client asks again by itself if a connection that it has used before just ends.
    if (this.#isFirst || stopped !== undefined || error instanceof ProtocolError) {
      session.enter("closing");
      await session.channel.write(
        answer(stopped === undefined ? 502 : 504, { isHead: this.#request.method === "HEAD" }),
      );
      session.channel.duplex.closeWrite();
      if (this.#isSaid) await session.closeGently();
    }
    return { cause: stopped?.cause ?? "reset", reason: `The origin did not answer: ${reason}` };
  }

  async #body({ framing }: HttpResponse): Promise<void> {
    try {
      await copyBody(this.#origin, framing, (bytes) => this.#down(bytes), this.#request.minor === 1);
    } catch (error) {
      // Cut off, an answer must not look whole.
      this.#session.connection.close(error);
      this.#peer.close(error);
      if (this.#session.stopped !== undefined) throw this.#session.stopped.reason;
      throw error instanceof ProtocolError ? new NetError("reset", error.message) : error;
    }
  }

  async #switch(response: HttpResponse): Promise<Tunnel> {
    const { connection, channel } = this.#session;
    await this.#down(encodeResponse(response, this.#request, true));
    const ahead = this.#origin.takeRest();
    if (ahead.length > 0) await this.#down(ahead);
    return { client: withRead(connection, () => channel.readChunk()), target: this.#peer };
  }

  #down(bytes: Uint8Array): Promise<void> {
    return send(this.#session, this.#session.channel.duplex, bytes, false);
  }
}

/** Sends as fast as the session may, and counts. */
async function send(session: Session, to: Duplex, bytes: Uint8Array, up: boolean): Promise<void> {
  const { pace } = session;
  for (let rest = bytes; rest.length > 0;) {
    const length = pace === undefined ? rest.length : pace.take(rest.length, up) || await leave(pace, rest, up);
    await to.write(length === rest.length ? rest : rest.subarray(0, length));
    if (up) session.sent += length;
    else session.received += length;
    rest = rest.subarray(length);
  }
}
