/**
 * The walk through a session: first byte, handshake, request, command, end.
 *
 * @module
 */

import { AuthenticationError } from "../auth/method.ts";
import { ProxyError } from "../client/proxy_error.ts";
import { netErrorCode } from "../net/errors.ts";
import { type Decision, isDenial, NotAllowedError } from "../policy/authorise.ts";
import type { CommandName, Grant, RequestInfo } from "../policy/rules.ts";
import { SOCKS4_VERSION, SOCKS5_VERSION } from "../protocol/constants.ts";
import { ProtocolError } from "../protocol/decoded.ts";
import { replyCodeOf } from "../protocol/reply_code.ts";
import { relay } from "../relay/relay.ts";
import { serveAssociate } from "./associate.ts";
import { serveBind } from "./bind.ts";
import { serveConnect } from "./connect.ts";
import type { Ending, Exchange, Tunnel } from "./exchange.ts";
import { serveForwardedDatagrams } from "./forward_datagrams.ts";
import { readForward } from "./forward_session.ts";
import { HttpExchange, readHttp, servesHttp } from "./http.ts";
import { answer, looksLikeHttp } from "./http_answer.ts";
import { forward, type Succession } from "./http_forward.ts";
import type { HttpRequest } from "./http_request.ts";
import type { Refusal, SessionSummary } from "./observer.ts";
import { serveResolve, serveResolvePtr } from "./resolve_commands.ts";
import type { Session } from "./session.ts";
import { objectionToUser, reconsider } from "./recheck.ts";
import { readSocks4 } from "./socks4.ts";
import { readSocks5 } from "./socks5.ts";

/** What there is to relay when a command is granted; if it has relayed already, how it ended, unless it just finished. */
type Command = (
  session: Session,
  exchange: Exchange,
  granted: Grant | undefined,
) => Promise<Tunnel | Ending | undefined>;

const COMMANDS: Record<CommandName, Command> = {
  "connect": serveConnect,
  "bind": serveBind,
  "udp-associate": serveAssociate,
  "resolve": serveResolve,
  "resolve-ptr": serveResolvePtr,
};

const NOTHING = new Uint8Array(0);

/** What becomes of a session that was not refused its request. */
type Outcome = Tunnel | Ending | Succession;

const FINISHED: Ending = { cause: "finished" };

/**
 * Serves one client to its end, of which {@linkcode Session.whenOver} is told. Never throws: whatever goes wrong ends
 * this session alone.
 *
 * Nothing here waits for the relay: an idle tunnel holds its session and no frame of a function.
 *
 * @param session The client, just accepted.
 * @param request What it asks for over HTTP, if that has been read already.
 */
export async function serveSession(session: Session, request?: HttpRequest): Promise<void> {
  session.startClock();
  session.enter("handshake");
  session.tell("opened");
  try {
    const outcome = session.forward !== undefined
      ? await grant(session, readForward)
      : request === undefined
      ? await begin(session, await session.channel.peek())
      : await grant(session, (session) => readHttp(session, request));
    if ("client" in outcome) relayThrough(session, outcome);
    else if ("next" in outcome) goOn(session, outcome);
    else end(session, outcome);
  } catch (error) {
    end(session, endingOf(session, error));
  }
}

/** The first byte tells the dialects apart, and it alone: a greeting may be three bytes long. */
function begin(session: Session, first: number | undefined): Promise<Outcome> {
  if (first === SOCKS5_VERSION) return grant(session, readSocks5);
  if (first === SOCKS4_VERSION) return grant(session, readSocks4);
  if (first !== undefined && looksLikeHttp(first) && servesHttp(session)) return grant(session, readHttp);
  return turnAway(session, first);
}

/** Another session goes on with the client. */
function goOn(session: Session, { next, request }: Succession): void {
  session.release();
  account(session, FINISHED);
  serveSession(next, request);
}

function end(session: Session, ending: Ending): void {
  session.whenRelayed = undefined; // its connections are closed now, of which a relay would tell
  session.close();
  account(session, ending);
}

function account(session: Session, { cause, reason }: Ending): void {
  session.stopClock();
  session.leave();
  const summary: SessionSummary = {
    sent: session.sent,
    received: session.received,
    duration: Math.round(performance.now() - session.startedAt),
    cause,
    reason,
  };
  session.tell("closed", summary);
  session.whenOver?.(session, summary);
}

/** Answers what is not SOCKS. */
async function turnAway(session: Session, first: number | undefined): Promise<Ending> {
  if (first === undefined) return { cause: "health-check" };
  if (looksLikeHttp(first)) {
    await session.channel.write(answer(501));
    await session.closeGently();
  }
  return { cause: "not-socks", reason: `The first byte is ${first}` };
}

/** Reads a request and does what it asks for, up to the relay. */
async function grant(session: Session, read: (session: Session) => Promise<Exchange>): Promise<Outcome> {
  const { service } = session;
  let exchange: Exchange | undefined;
  try {
    exchange = await read(session);
    session.protocol = exchange.protocol;
    session.command = exchange.command;
    session.target = exchange.target;
    session.tell("requested");
    const current = session.service;
    // Whom the former options let in without a login, or while they were replaced.
    if (current !== service) allowed(objectionToUser(session, current));
    const deciding = current.authoriser.request(session as RequestInfo);
    session.enter("lookup"); // a rule may look things up; out of time the client still gets its reply
    let granted = allowed(deciding instanceof Promise ? await session.until(deciding) : deciding);
    if (session.service !== current) granted = await session.until(reconsider(session));
    const command = session.forward?.protocol === "udp" ? serveForwardedDatagrams : COMMANDS[exchange.command];
    const result = await command(session, exchange, granted);
    const request = exchange instanceof HttpExchange ? exchange.forwarded : undefined;
    if (request !== undefined && result !== undefined && "target" in result) {
      return await forward(session, request, result.target);
    }
    return result ?? FINISHED;
  } catch (error) {
    const refusal = refusalOf(session, exchange, error);
    if (refusal === undefined) throw error;
    if (error instanceof NotAllowedError) session.ruling = error.denial;
    session.leave(); // its place is for others while it reads its refusal
    session.tell("refused", refusal);
    session.enter("closing");
    if (exchange?.replied === false) await exchange.refuse(replyCodeOf(error), error)?.catch(() => {});
    await session.closeGently();
    return { cause: "refused", reason: refusal.reason };
  }
}

/** @throws {NotAllowedError} If the answer was no. */
function allowed(decision: Decision): Grant | undefined {
  if (isDenial(decision)) throw new NotAllowedError(decision);
  return decision;
}

/** Relays, beginning with what the client sent ahead. */
function relayThrough(session: Session, { client, target }: Tunnel): void {
  session.enter("idle");
  session.whenRelayed = relayed;
  const rest = session.channel.takeRest();
  const early = rest.length > 0 ? rest.slice() : NOTHING; // the relay may read into the memory it lies in
  relay({ client, target, early, meter: session, pace: session.pace }, session.service.runtime);
}

/** See {@linkcode Session.whenRelayed}. */
function relayed(session: Session, error: unknown): void {
  end(session, error === undefined ? FINISHED : endingOf(session, error));
}

/** What was refused and why; `undefined` if the session was not refused anything but broke, or the client left. */
function refusalOf(session: Session, exchange: Exchange | undefined, error: unknown): Refusal | undefined {
  if (session.stopped !== undefined && session.stopped.cause !== "timeout") return undefined;
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof AuthenticationError) {
    return { cause: error.isUnchecked ? "network" : "authentication", reason, error };
  }
  if (error instanceof ProtocolError) return { cause: "protocol", reason, error };
  if (exchange === undefined || exchange.replied) return undefined;
  const code = netErrorCode(error);
  if (code === "not-allowed" && !(error instanceof ProxyError)) return { cause: "rules", reason, error };
  if ((code === "closed" || code === "reset") && session.phase === "bind") return undefined; // the client left
  return { cause: "network", reason, error };
}

function endingOf(session: Session, error: unknown): Ending {
  const { stopped } = session;
  if (stopped !== undefined) return { cause: stopped.cause, reason: stopped.reason.message };
  const reason = error instanceof Error ? error.message : String(error);
  const isRelaying = session.phase === "idle" || session.phase === "halfClosed";
  const code = netErrorCode(error);
  if (code === "reset" || code === "closed") return { cause: isRelaying ? "reset" : "vanished", reason };
  return { cause: "error", reason };
}
