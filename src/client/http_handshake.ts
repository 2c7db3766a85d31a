/**
 * The client's side of HTTP's CONNECT (RFC 9110 section 9.3.6).
 *
 * @module
 */

import { formatHostPort } from "../net/address.ts";
import type { NetErrorCode } from "../net/errors.ts";
import { toAscii } from "../net/host_name.ts";
import { NO_ADDRESS, type Target } from "../protocol/address.ts";
import { Command, Reply } from "../protocol/constants.ts";
import { encodeHead, type Field, headDecoder, MAX_HEAD, textOf } from "../protocol/http_head.ts";
import type { Dialogue, ProxyRequest } from "./dialogue.ts";
import type { Proxy } from "./proxy.ts";
import type { ProxyError } from "./proxy_error.ts";

/** The most provisional answers that one request may get. */
const MOST_PROVISIONAL = 8;
/** What a name may be made of to stand in a request: nothing that ends it there. */
const NAME = /^[\w.~!$&'()*+,;=-]+$/;

/**
 * Asks and reads the answer, which says no address.
 *
 * @param dialogue The talk, at its beginning.
 * @param request What to ask for: a connection.
 * @param optimistic Whether the payload goes with it.
 * @returns Zeros.
 */
export async function httpHandshake(dialogue: Dialogue, request: ProxyRequest, optimistic: boolean): Promise<Target> {
  dialogue.phase = "request";
  const { command, target, payload } = request;
  if (command !== Command.CONNECT) throw dialogue.fault("not-supported", "HTTP proxies connect, and do nothing else");
  const authority = authorityOf(dialogue, target);
  const fields: Field[] = [{ name: "Host", value: authority }];
  const credentials = credentialsOf(dialogue);
  if (credentials !== undefined) fields.push({ name: "Proxy-Authorization", value: credentials });
  const message = encodeHead(`CONNECT ${authority} HTTP/1.1`, fields);
  if (optimistic && payload !== undefined) await dialogue.write(message, payload);
  else await dialogue.write(message);
  dialogue.phase = "reply";
  for (let answers = 0; answers <= MOST_PROVISIONAL; answers++) {
    const [start] = await dialogue.read(headDecoder("response"), MAX_HEAD);
    const status = Number(start!.slice(9, 12));
    if (status >= 200 && status < 300) return NO_ADDRESS; // a body has no place here, whatever its fields say
    if (status >= 200 || status === 101) throw refusalOf(dialogue, status, start!.slice(13));
  }
  throw dialogue.fault("not-supported", "it answers without an end");
}

function authorityOf(dialogue: Dialogue, { type, host, port }: Target): string {
  const said = type === "name" ? toAscii(host) : host;
  if (said !== undefined && (type !== "name" || NAME.test(said))) return formatHostPort(said, port);
  throw dialogue.fault("name-not-found", "the name of the target cannot be said in HTTP");
}

function credentialsOf(dialogue: Dialogue): string | undefined {
  const { user, password }: Proxy = dialogue.proxy;
  if (user === undefined && password === undefined) return undefined;
  if (user?.includes(":")) throw dialogue.fault("not-supported", "HTTP cannot say a user name with a colon");
  return `Basic ${btoa(textOf(new TextEncoder().encode(`${user ?? ""}:${password ?? ""}`)))}`;
}

/** What statuses say of the target, as near as SOCKS comes to it. */
const REPLIES: Readonly<Record<number, readonly [number, NetErrorCode]>> = {
  403: [Reply.NOT_ALLOWED, "not-allowed"],
  405: [Reply.COMMAND_NOT_SUPPORTED, "not-supported"],
  451: [Reply.NOT_ALLOWED, "not-allowed"],
  501: [Reply.COMMAND_NOT_SUPPORTED, "not-supported"],
  502: [Reply.HOST_UNREACHABLE, "unreachable-host"],
  503: [Reply.HOST_UNREACHABLE, "unreachable-host"],
  504: [Reply.TTL_EXPIRED, "timeout"],
};

function refusalOf(dialogue: Dialogue, status: number, words: string): ProxyError {
  if (status === 407) {
    dialogue.phase = "authentication";
    const { user } = dialogue.proxy;
    return dialogue.fault("permission-denied", user === undefined ? "it wants a login" : "wrong user or password", {
      status,
    });
  }
  // Its words may be anything: those that a log can bear are told.
  const told = words.replace(/[^ -~]/g, "?").slice(0, 60);
  const problem = told === "" ? `it answers ${status}` : `it answers ${status} ${told}`;
  if (status === 429) return dialogue.fault("unknown", problem, { status }); // it is about us
  const [reply, code] = REPLIES[status] ?? [Reply.GENERAL_FAILURE, "unknown"];
  return dialogue.fault(code, problem, { reply, status });
}
