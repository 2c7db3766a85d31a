/**
 * What this server itself says in HTTP.
 *
 * @module
 */

import { Reply } from "../protocol/constants.ts";
import type { ProtocolError } from "../protocol/decoded.ts";
import { bytesOf } from "../protocol/http_head.ts";

/** What each answer begins with, and says. */
const ANSWERS = {
  400: ["Bad Request", "This proxy cannot make sense of the request."],
  403: ["Forbidden", "The rules of this proxy do not allow that."],
  407: ["Proxy Authentication Required", "This proxy wants a user name and a password."],
  431: ["Request Header Fields Too Large", "The head of the request is too large for this proxy."],
  501: ["This is a SOCKS proxy, not an HTTP proxy", ""],
  502: ["Bad Gateway", "The target cannot be reached, or does not speak HTTP."],
  503: ["Service Unavailable", "This proxy is about to close."],
  504: ["Gateway Timeout", "The target did not answer in time."],
} as const;

/** The status of an answer of our own. */
export type Status = keyof typeof ANSWERS;

const SOCKS_ONLY = `This is a SOCKS proxy, and your program spoke HTTP to it.

Set it up as a SOCKS proxy ("SOCKS host" in a browser, not "HTTP proxy"), for example:

    curl --socks5-hostname HOST:PORT https://example.com/
    ALL_PROXY=socks5h://HOST:PORT
`;

const NO_SITE = `This is a SOCKS and HTTP proxy, and no web site.

Set your program up to use it, for example:

    curl --socks5-hostname HOST:PORT https://example.com/
    curl --proxy http://HOST:PORT https://example.com/
`;

/** How an answer differs from the plain one. */
export interface AnswerOptions {
  /** Whether it answers HEAD: then it is a head alone. */
  readonly isHead?: boolean | undefined;
  /** Whether the client may go on after it. */
  readonly keepsAlive?: boolean | undefined;
  /** What it says in place of its own words. */
  readonly text?: string | undefined;
}

const encoder = new TextEncoder();

/** An answer with a short page. */
export function answer(status: Status, options: AnswerOptions = {}): Uint8Array {
  const [words, text] = ANSWERS[status];
  return page(status, words, status === 501 ? SOCKS_ONLY : `${options.text ?? text}\n`, options);
}

/** What is said to who takes this port for a web site. */
export function noSite(options: AnswerOptions): Uint8Array {
  return page(400, ANSWERS[400][0], NO_SITE, options);
}

function page(status: Status, words: string, text: string, { isHead, keepsAlive }: AnswerOptions): Uint8Array {
  const body = encoder.encode(text);
  const lines = [
    `HTTP/1.1 ${status} ${words}`,
    "Content-Type: text/plain; charset=utf-8",
    `Content-Length: ${body.length}`,
    "Cache-Control: no-store",
    ...status === 407 ? ['Proxy-Authenticate: Basic realm="proxy", charset="UTF-8"'] : [],
    ...keepsAlive === true ? [] : ["Connection: close"],
  ];
  const head = bytesOf(`${lines.join("\r\n")}\r\n\r\n`);
  if (isHead === true) return head;
  const message = new Uint8Array(head.length + body.length);
  message.set(head);
  message.set(body, head.length);
  return message;
}

/** What is said where SOCKS5 has a REP: the kind of reason, and not more than that. */
export function statusOfReply(reply: number): Status {
  if (reply === Reply.NOT_ALLOWED) return 403;
  return reply === Reply.TTL_EXPIRED ? 504 : 502;
}

/** What is said of a message that is refused. */
export function statusOfError(error: ProtocolError): Status {
  return error.fault === "too-long" ? 431 : 400;
}

/** Whether a connection that begins with this byte may be HTTP: methods are written in capital letters. */
export function looksLikeHttp(firstByte: number): boolean {
  return firstByte >= 0x41 && firstByte <= 0x5a;
}
