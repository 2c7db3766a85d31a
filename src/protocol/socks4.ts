/**
 * SOCKS4 and 4a requests and replies (the two NEC texts; they have no RFC).
 *
 * @module
 */

import { ipFromBytes, ipToBytes } from "../net/address.ts";
import { checkPort, decodeName, type Target, targetOf } from "./address.ts";
import { Command, SOCKS4_VERSION } from "./constants.ts";
import { type Decoded, ProtocolError } from "./decoded.ts";

/** The longest USERID and the longest HOSTNAME that are read. */
export const MAX_SOCKS4_FIELD = 255;
/** The longest request: 8 bytes, USERID and HOSTNAME, each with its NUL. */
export const MAX_SOCKS4_REQUEST: number = 8 + 2 * (MAX_SOCKS4_FIELD + 1);

/** VN, CD, DSTPORT, DSTIP, USERID and, in 4a, HOSTNAME. */
export interface Socks4Request {
  /** CD: {@linkcode Command.CONNECT}, {@linkcode Command.BIND} or Tor's {@linkcode Command.RESOLVE}. */
  readonly command: number;
  /** DSTIP and DSTPORT; in 4a HOSTNAME and DSTPORT. */
  readonly target: Target;
  /** USERID: any bytes but NUL. */
  readonly userId: Uint8Array;
  /** Whether the target came as HOSTNAME. */
  readonly isSocks4a: boolean;
}

/** VN, CD, DSTPORT, DSTIP. */
export interface Socks4ReplyMessage {
  /** CD: one of {@linkcode Socks4Reply}. */
  readonly reply: number;
  /** DSTIP and DSTPORT. What is not IPv4 cannot be said here and becomes zeros. */
  readonly bound: Target;
}

/**
 * Reads a request. DSTIP 0.0.0.x with x ≠ 0 makes it 4a; 0.0.0.0 is an address like any other here.
 *
 * @param bytes The bytes so far.
 * @returns The request, or `undefined` if more bytes are needed.
 * @throws {ProtocolError} `version` unless VN is 4, `command` for another CD, `too-long` for a field above
 * {@linkcode MAX_SOCKS4_FIELD} bytes, `address` for a name that cannot be one.
 */
export function decodeSocks4Request(bytes: Uint8Array): Decoded<Socks4Request> | undefined {
  if (bytes.length > 0) checkVersion(bytes[0]!, SOCKS4_VERSION);
  if (bytes.length > 1 && !isCommand(bytes[1]!)) {
    throw new ProtocolError("command", `Cannot read the request: CD ${bytes[1]} is not of SOCKS4`);
  }
  const userEnd = endOfField(bytes, 8);
  if (userEnd === undefined) return undefined;
  const command = bytes[1]!;
  const port = bytes[2]! << 8 | bytes[3]!;
  const userId = bytes.slice(8, userEnd);
  if (bytes[4] !== 0 || bytes[5] !== 0 || bytes[6] !== 0 || bytes[7] === 0) {
    const target: Target = { type: "ipv4", host: ipFromBytes(bytes.subarray(4, 8)), port };
    return { value: { command, target, userId, isSocks4a: false }, length: userEnd + 1 };
  }
  const nameEnd = endOfField(bytes, userEnd + 1);
  if (nameEnd === undefined) return undefined;
  if (nameEnd === userEnd + 1) throw new ProtocolError("address", "Cannot read the request: empty HOSTNAME");
  const target = targetOf(decodeName(bytes.subarray(userEnd + 1, nameEnd)), port);
  return { value: { command, target, userId, isSocks4a: true }, length: nameEnd + 1 };
}

/**
 * Writes a request: 4a if asked for, or if the target is not an IPv4 address.
 *
 * @throws {RangeError} If a field is longer than {@linkcode MAX_SOCKS4_FIELD} bytes or holds a NUL, or the port is none.
 */
export function encodeSocks4Request(request: Socks4Request): Uint8Array {
  const { command, target, userId } = request;
  const isIpv4 = target.type === "ipv4" && !request.isSocks4a;
  const name = isIpv4 ? new Uint8Array(0) : new TextEncoder().encode(`${target.host}\0`);
  checkPort(target.port);
  if (userId.includes(0) || userId.length > MAX_SOCKS4_FIELD) {
    throw new RangeError(`Cannot write a USERID of ${userId.length} bytes: expected at most 255, none of them NUL`);
  }
  if (name.length > 0 && (name.indexOf(0) !== name.length - 1 || name.length > MAX_SOCKS4_FIELD + 1)) {
    throw new RangeError(`Cannot write a HOSTNAME of ${name.length - 1} bytes: expected at most 255, none of them NUL`);
  }
  const message = new Uint8Array(9 + userId.length + name.length);
  message[0] = SOCKS4_VERSION;
  message[1] = command;
  message[2] = target.port >> 8;
  message[3] = target.port & 0xff;
  message.set(isIpv4 ? ipToBytes(target.host) : [0, 0, 0, 1], 4);
  message.set(userId, 8);
  message.set(name, 9 + userId.length);
  return message;
}

/**
 * Reads a reply.
 *
 * @throws {ProtocolError} `version` unless VN is 0.
 */
export function decodeSocks4Reply(bytes: Uint8Array): Decoded<Socks4ReplyMessage> | undefined {
  if (bytes.length > 0) checkVersion(bytes[0]!, 0);
  if (bytes.length < 8) return undefined;
  const bound: Target = {
    type: "ipv4",
    host: ipFromBytes(bytes.subarray(4, 8)),
    port: bytes[2]! << 8 | bytes[3]!,
  };
  return { value: { reply: bytes[1]!, bound }, length: 8 };
}

/** Writes a reply: 8 bytes, the first of them 0. */
export function encodeSocks4Reply(reply: Socks4ReplyMessage): Uint8Array {
  const message = new Uint8Array(8);
  message[1] = reply.reply;
  if (reply.bound.type !== "ipv4") return message;
  message[2] = reply.bound.port >> 8;
  message[3] = reply.bound.port & 0xff;
  message.set(ipToBytes(reply.bound.host), 4);
  return message;
}

/** Where the NUL of the field at `start` stands; `undefined` while it is not there yet. */
function endOfField(bytes: Uint8Array, start: number): number | undefined {
  const end = bytes.indexOf(0, start);
  const length = (end < 0 ? bytes.length : end) - start;
  if (length > MAX_SOCKS4_FIELD) {
    throw new ProtocolError("too-long", `Cannot read the request: a field is longer than ${MAX_SOCKS4_FIELD} bytes`);
  }
  return end < 0 ? undefined : end;
}

function isCommand(command: number): boolean {
  return command === Command.CONNECT || command === Command.BIND || command === Command.RESOLVE;
}

function checkVersion(version: number, expected: number): void {
  if (version === expected) return;
  throw new ProtocolError("version", `Cannot read a SOCKS4 message: VN is ${version}, expected ${expected}`);
}
