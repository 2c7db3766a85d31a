/**
 * SOCKS5 greeting, request and reply (RFC 1928).
 *
 * @module
 */

import { addressSize, decodeAddress, encodeAddress, type Target } from "./address.ts";
import { Command, Reply, SOCKS5_VERSION } from "./constants.ts";
import { type Decoded, ProtocolError } from "./decoded.ts";

/** The longest greeting: VER, NMETHODS and 255 methods. */
export const MAX_GREETING = 257;
/** The longest request or reply: a name of 255 bytes. */
export const MAX_REQUEST = 262;

/** VER, CMD, RSV (the later draft's FLAG), ATYP, DST.ADDR, DST.PORT. */
export interface Socks5Request {
  /** CMD: one of {@linkcode Command}. */
  readonly command: number;
  /** RSV: any value is taken (the draft's FLAG bits live here). */
  readonly flag: number;
  /** DST.ADDR and DST.PORT. */
  readonly target: Target;
}

/** VER, REP, RSV, ATYP, BND.ADDR, BND.PORT. */
export interface Socks5Reply {
  /** REP: one of {@linkcode Reply}. */
  readonly reply: number;
  /** BND.ADDR and BND.PORT. */
  readonly bound: Target;
}

/**
 * Reads a client's greeting (RFC 1928 section 3).
 *
 * @param bytes The bytes so far.
 * @returns The methods it offers, or `undefined` if more bytes are needed.
 * @throws {ProtocolError} `version` unless VER is 5, `methods` if it offers none.
 */
export function decodeGreeting(bytes: Uint8Array): Decoded<number[]> | undefined {
  if (bytes.length > 0) checkVersion(bytes[0]!);
  if (bytes.length < 2) return undefined;
  const count = bytes[1]!;
  if (count === 0) throw new ProtocolError("methods", "Cannot read the greeting: NMETHODS is 0");
  if (bytes.length < 2 + count) return undefined;
  const methods: number[] = [];
  for (let i = 2; i < 2 + count; i++) methods.push(bytes[i]!);
  return { value: methods, length: 2 + count };
}

/** Writes a client's greeting that offers `methods` (1 to 255 of them). */
export function encodeGreeting(methods: readonly number[]): Uint8Array {
  if (methods.length === 0 || methods.length > 255) {
    throw new RangeError(`Cannot write a greeting with ${methods.length} methods: expected 1 to 255`);
  }
  return Uint8Array.of(SOCKS5_VERSION, methods.length, ...methods);
}

/** Reads the server's choice of a method; {@linkcode Method.NO_ACCEPTABLE} is a choice too. */
export function decodeMethodSelection(bytes: Uint8Array): Decoded<number> | undefined {
  if (bytes.length > 0) checkVersion(bytes[0]!);
  return bytes.length < 2 ? undefined : { value: bytes[1]!, length: 2 };
}

/** Writes the server's choice of a method. */
export function encodeMethodSelection(method: number): Uint8Array {
  return Uint8Array.of(SOCKS5_VERSION, method);
}

/**
 * Reads a request (RFC 1928 section 4).
 *
 * @param bytes The bytes so far.
 * @returns The request, or `undefined` if more bytes are needed.
 * @throws {ProtocolError} `version`, `command` or `address-type` as soon as that byte is wrong; `address` for a name
 * that cannot be one.
 */
export function decodeRequest(bytes: Uint8Array): Decoded<Socks5Request> | undefined {
  if (bytes.length > 0) checkVersion(bytes[0]!);
  if (bytes.length > 1 && !isCommand(bytes[1]!)) {
    throw new ProtocolError("command", `Cannot read the request: CMD ${bytes[1]} is none`);
  }
  const address = decodeAddress(bytes, 3);
  if (address === undefined) return undefined;
  return {
    value: { command: bytes[1]!, flag: bytes[2]!, target: address.value },
    length: 3 + address.length,
  };
}

/** Writes a request. */
export function encodeRequest(request: Socks5Request): Uint8Array {
  return encodeMessage(request.command, request.flag, request.target);
}

/**
 * Reads a reply (RFC 1928 section 6). BND.ADDR may be a name.
 *
 * @throws {ProtocolError} `version` unless VER is 5; `address-type` or `address` as in a request.
 */
export function decodeReply(bytes: Uint8Array): Decoded<Socks5Reply> | undefined {
  if (bytes.length > 0) checkVersion(bytes[0]!);
  const address = decodeAddress(bytes, 3);
  if (address === undefined) return undefined;
  return { value: { reply: bytes[1]!, bound: address.value }, length: 3 + address.length };
}

/** Writes a reply. */
export function encodeReply(reply: Socks5Reply): Uint8Array {
  return encodeMessage(reply.reply, 0, reply.bound);
}

/** What a reply code means, in the RFC's words. */
export function replyText(reply: number): string {
  for (const [name, code] of Object.entries(Reply)) {
    if (code === reply) return name.toLowerCase().replaceAll("_", " ");
  }
  return `reply ${reply}`;
}

function encodeMessage(code: number, flag: number, target: Target): Uint8Array {
  const message = new Uint8Array(3 + addressSize(target));
  message[0] = SOCKS5_VERSION;
  message[1] = code;
  message[2] = flag;
  encodeAddress(target, message, 3);
  return message;
}

function checkVersion(version: number): void {
  if (version === SOCKS5_VERSION) return;
  throw new ProtocolError("version", `Cannot read a SOCKS5 message: VER is ${version}, expected 5`);
}

function isCommand(command: number): boolean {
  return command === Command.CONNECT || command === Command.BIND || command === Command.UDP_ASSOCIATE ||
    command === Command.RESOLVE || command === Command.RESOLVE_PTR;
}
