/**
 * The error of everything here.
 *
 * @module
 */

import { NetError, type NetErrorCode, netErrorCode } from "../net/errors.ts";
import { Reply, Socks4Reply } from "../protocol/constants.ts";
import { replyText } from "../protocol/socks5.ts";
import { formatProxy, type Proxy } from "./proxy.ts";

/**
 * How far it got with a proxy: reaching it, TLS, the SOCKS5 greeting, the login, sending the request, the reply to it,
 * and with BIND the peer that is awaited.
 */
export type ProxyPhase = "dial" | "tls" | "greeting" | "authentication" | "request" | "reply" | "peer";

/** Where something went wrong. */
export interface ProxyPlace {
  /** Which proxy of the chain, from 0. */
  readonly hop: number;
  /** The proxy. */
  readonly proxy: Proxy;
  /** How far it got. */
  readonly phase: ProxyPhase;
  /**
   * Whether it was asked for the target; the others are asked for the next proxy.
   *
   * @default {true}
   */
  readonly isLast?: boolean | undefined;
}

/** What more there is to know of a failure. */
export interface ProxyErrorOptions extends ErrorOptions {
  /** REP of SOCKS5, or CD of SOCKS4; of an HTTP proxy the REP that comes nearest to its status. */
  readonly reply?: number | undefined;
  /** The status of an HTTP proxy. */
  readonly status?: number | undefined;
}

/**
 * Why a proxy could not be used, or what it answered. Its `code` is that of the reply where there was one: `refused` is
 * then said of the target, and otherwise of the proxy.
 */
export class ProxyError extends NetError {
  /** Which proxy of the chain, from 0. */
  readonly hop: number;
  /** The proxy's URL, without user and password. */
  readonly proxy: string;
  /** How far it got. */
  readonly phase: ProxyPhase;
  /** Whether the proxy was asked for the target; the others are asked for the next proxy. */
  readonly isLast: boolean;
  /** REP of SOCKS5, or CD of SOCKS4, if the proxy said no; of an HTTP proxy the REP that comes nearest. */
  readonly reply: number | undefined;
  /** The status of an HTTP proxy that said no. */
  readonly status: number | undefined;

  /**
   * Makes an error.
   *
   * @param place Where it went wrong.
   * @param code What went wrong.
   * @param problem The state found.
   * @param options The reply, and the `cause`, where there is one.
   */
  constructor(
    place: ProxyPlace,
    code: NetErrorCode,
    problem: string,
    options: ProxyErrorOptions = {},
  ) {
    const proxy = formatProxy(place.proxy);
    super(code, `Cannot go through proxy ${place.hop + 1}, "${proxy}" (${place.phase}): ${problem}`, options);
    this.hop = place.hop;
    this.proxy = proxy;
    this.phase = place.phase;
    this.isLast = place.isLast !== false;
    this.reply = options.reply;
    this.status = options.status;
  }

  /** Whether it is about the target: the proxies did what they were asked to, as far as they could. */
  get isOfTarget(): boolean {
    if (!this.isLast) return false;
    const isAsked = this.phase === "reply" || this.phase === "peer";
    return isAsked ? this.reply !== undefined : this.phase === "request" && ABOUT_TARGET.has(this.code);
  }

  /** REP for a client on whose behalf the proxies were used: what the last one said of the target, or else 01. */
  get answer(): number {
    const { reply } = this;
    if (this.isOfTarget) {
      if (reply === undefined) return ANSWERS[this.code] ?? Reply.GENERAL_FAILURE;
      return reply > 0 && reply <= Reply.ADDRESS_TYPE_NOT_SUPPORTED ? reply : Reply.GENERAL_FAILURE;
    }
    const isAwaited = this.isLast && (this.phase === "reply" || this.phase === "peer");
    return isAwaited && this.code === "timeout" ? Reply.TTL_EXPIRED : Reply.GENERAL_FAILURE;
  }
}

/** What can be wrong with a target before any proxy is told of it. */
const ABOUT_TARGET: ReadonlySet<NetErrorCode> = new Set([
  "name-not-found",
  "lookup-failed",
  "not-allowed",
  "not-supported",
]);

const ANSWERS: Partial<Record<NetErrorCode, number>> = {
  "name-not-found": Reply.HOST_UNREACHABLE,
  "lookup-failed": Reply.HOST_UNREACHABLE,
  "not-allowed": Reply.NOT_ALLOWED,
  "not-supported": Reply.ADDRESS_TYPE_NOT_SUPPORTED,
};

/** Puts anything thrown in its place. */
export function proxyError(error: unknown, place: ProxyPlace): ProxyError {
  if (error instanceof ProxyError) return error;
  const problem = error instanceof Error ? error.message : String(error);
  return new ProxyError(place, netErrorCode(error), problem, { cause: error });
}

const CODES: Readonly<Record<number, NetErrorCode>> = {
  [Reply.NOT_ALLOWED]: "not-allowed",
  [Reply.NETWORK_UNREACHABLE]: "unreachable-network",
  [Reply.HOST_UNREACHABLE]: "unreachable-host",
  [Reply.CONNECTION_REFUSED]: "refused",
  [Reply.TTL_EXPIRED]: "timeout",
  [Reply.COMMAND_NOT_SUPPORTED]: "not-supported",
  [Reply.ADDRESS_TYPE_NOT_SUPPORTED]: "not-supported",
  [Socks4Reply.NO_IDENTD]: "permission-denied",
  [Socks4Reply.USER_MISMATCH]: "permission-denied",
};

const SOCKS4_TEXTS: Readonly<Record<number, string>> = {
  [Socks4Reply.REJECTED]: "rejected or failed",
  [Socks4Reply.NO_IDENTD]: "no identd",
  [Socks4Reply.USER_MISMATCH]: "identd names another user",
};

/** The error of a reply that says no. */
export function replyError(reply: number, place: ProxyPlace): ProxyError {
  const text = SOCKS4_TEXTS[reply] ?? replyText(reply);
  return new ProxyError(place, CODES[reply] ?? "unknown", text, { reply });
}
