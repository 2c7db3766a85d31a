/**
 * The client's side of SOCKS5 (RFC 1928, RFC 1929).
 *
 * @module
 */

import type { Target } from "../protocol/address.ts";
import { NO_ADDRESS } from "../protocol/address.ts";
import { Method, Reply } from "../protocol/constants.ts";
import type { Decoded } from "../protocol/decoded.ts";
import {
  decodeMethodSelection,
  decodeReply,
  encodeGreeting,
  encodeRequest,
  MAX_REQUEST,
  type Socks5Reply,
} from "../protocol/socks5.ts";
import { decodeLoginStatus, encodeLogin } from "../protocol/username_password.ts";
import type { Abortable } from "../runtime/runtime.ts";
import type { ClientMethod } from "./client_method.ts";
import type { Dialogue, ProxyRequest } from "./dialogue.ts";
import { loginMethods } from "./login_methods.ts";
import type { Proxy } from "./proxy.ts";

const NOTHING = new Uint8Array(0);

/** How to speak SOCKS5. */
export interface Socks5Options {
  /** Whether to send it all at once. Then nothing but what the proxy's login calls for is offered. */
  readonly optimistic: boolean;
  /** Methods to offer first; none with `optimistic`. */
  readonly methods: readonly ClientMethod[];
  /** Aborts when it is to end. */
  readonly signal?: Abortable | undefined;
}

/**
 * Greets, logs in, asks and reads the reply.
 *
 * @param dialogue The talk, at its beginning.
 * @param request What to ask for.
 * @param options How to.
 * @returns BND.ADDR and BND.PORT.
 */
export async function socks5Handshake(
  dialogue: Dialogue,
  request: ProxyRequest,
  options: Socks5Options,
): Promise<Target> {
  const { signal } = options;
  const login = loginOf(dialogue.proxy);
  const method = login === undefined ? Method.NONE : Method.USERNAME_PASSWORD;
  const ways = loginMethods(dialogue.proxy);
  const methods = ways.length > 0 ? ways : options.methods;
  const optimistic = options.optimistic && methods.length === 0;
  const offered: readonly number[] = ways.length > 0 ? ways.map(({ code }) => code) : [
    ...methods.map(({ code }) => code),
    ...login === undefined || optimistic ? [method] : [Method.NONE, method],
  ];
  dialogue.phase = "request";
  const message = encodeRequest({ command: request.command, flag: 0, target: request.target });
  dialogue.phase = "greeting";
  const greeting = encodeGreeting(offered);
  if (optimistic) await dialogue.write(greeting, login ?? NOTHING, message, request.payload ?? NOTHING);
  else await dialogue.write(greeting);

  const chosen = await dialogue.read(decodeMethodSelection, 2);
  if (chosen === Method.NO_ACCEPTABLE) {
    throw dialogue.fault(
      "permission-denied",
      ways.length > 0
        ? `it does not take ${ways.map(({ name }) => name).join(", ")}`
        : login === undefined
        ? "it wants a login"
        : "it takes neither user and password nor nobody",
    );
  }
  if (!offered.includes(chosen)) {
    throw dialogue.fault("not-supported", `it chose method ${chosen}, which was not offered`);
  }
  const special = methods.find(({ code }) => code === chosen);
  if (special !== undefined) {
    dialogue.phase = "authentication";
    dialogue.encapsulate(await special.negotiate(dialogue.channel, { proxy: dialogue.proxy, signal }));
  } else if (chosen === Method.USERNAME_PASSWORD) {
    dialogue.phase = "authentication";
    if (!optimistic) await dialogue.write(login!);
    const status = await dialogue.read(decodeLoginStatus, 2);
    if (status !== 0) throw dialogue.fault("permission-denied", "wrong user or password");
  }
  if (!optimistic) {
    dialogue.phase = "request";
    await dialogue.write(message, request.payload ?? NOTHING);
  }
  return await readSocks5Reply(dialogue);
}

/** Reads a reply that must be a yes. */
export async function readSocks5Reply(dialogue: Dialogue): Promise<Target> {
  if (dialogue.phase !== "peer") dialogue.phase = "reply";
  const { reply, bound } = await dialogue.read(decodeVerdict, MAX_REQUEST);
  if (reply !== Reply.SUCCEEDED) throw dialogue.refusal(reply);
  return bound;
}

/** A no is taken at its second byte: some servers send no more than that. */
function decodeVerdict(bytes: Uint8Array): Decoded<Socks5Reply> | undefined {
  const decoded = decodeReply(bytes.length > 1 && bytes[1] !== Reply.SUCCEEDED ? bytes.subarray(0, 2) : bytes);
  if (decoded !== undefined || bytes.length < 2 || bytes[1] === Reply.SUCCEEDED) return decoded;
  return { value: { reply: bytes[1]!, bound: NO_ADDRESS }, length: 2 };
}

function loginOf({ user, password }: Proxy): Uint8Array | undefined {
  if (user === undefined && password === undefined) return undefined;
  const encoder = new TextEncoder();
  return encodeLogin({ username: encoder.encode(user ?? ""), password: encoder.encode(password ?? "") });
}
