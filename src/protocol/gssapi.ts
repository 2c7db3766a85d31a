/**
 * The messages of SOCKS5's GSSAPI method (RFC 1961).
 *
 * @module
 */

import { type Decoded, ProtocolError } from "./decoded.ts";

const VERSION = 0x01;
const HEADER = 4;

/** MTYP (RFC 1961). */
export const GssapiMessage = {
  /** A token of the context. */
  TOKEN: 0x01,
  /** The level of protection. */
  LEVEL: 0x02,
  /** Data within a token. */
  DATA: 0x03,
  /** The server will not go on. It has no token. */
  ABORT: 0xff,
} as const;

/** The levels of protection (RFC 1961 section 4.2; 0 is of NEC's and curl's making). */
export const GssapiLevel = {
  NONE: 0x00,
  INTEGRITY: 0x01,
  CONFIDENTIALITY: 0x02,
  SELECTIVE: 0x03,
} as const;

/** The most bytes that a token is made with here: Dante takes no longer ones. */
export const MAX_GSSAPI_TOKEN = 65_531;
/** The longest message. */
export const MAX_GSSAPI_FRAME = HEADER + 65_535;

/** A message. */
export interface GssapiFrame {
  /** MTYP: one of {@linkcode GssapiMessage}. */
  readonly type: number;
  /** The token, a view of what was read; empty for ABORT. */
  readonly token: Uint8Array;
}

/**
 * Reads a message.
 *
 * @param bytes The bytes so far.
 * @returns The message, or `undefined` if more bytes are needed.
 * @throws {ProtocolError} `version` or `reserved` as soon as VER or MTYP is wrong.
 */
export function decodeGssapiFrame(bytes: Uint8Array): Decoded<GssapiFrame> | undefined {
  if (bytes.length > 0 && bytes[0] !== VERSION) {
    throw new ProtocolError("version", `Cannot read a GSSAPI message: VER is ${bytes[0]}, expected 1`);
  }
  if (bytes.length < 2) return undefined;
  const type = bytes[1]!;
  if (type === GssapiMessage.ABORT) return { value: { type, token: bytes.subarray(2, 2) }, length: 2 };
  if (type < GssapiMessage.TOKEN || type > GssapiMessage.DATA) {
    throw new ProtocolError("reserved", `Cannot read a GSSAPI message: MTYP is ${type}, expected 1, 2, 3 or 255`);
  }
  if (bytes.length < HEADER) return undefined;
  const end = HEADER + (bytes[2]! << 8 | bytes[3]!);
  if (bytes.length < end) return undefined;
  return { value: { type, token: bytes.subarray(HEADER, end) }, length: end };
}

/**
 * Writes a message.
 *
 * @param type One of {@linkcode GssapiMessage}.
 * @param token The token, at most 65,535 bytes.
 * @throws {RangeError} If it is longer.
 */
export function encodeGssapiFrame(type: number, token: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = gssapiFrameFor(type, token.length);
  frame.set(token, HEADER);
  return frame;
}

/**
 * A message whose token, from the fourth byte on, is still to be filled in.
 *
 * @param type One of {@linkcode GssapiMessage}.
 * @param length How long the token is, at most 65,535 bytes.
 * @throws {RangeError} If it is longer.
 */
export function gssapiFrameFor(type: number, length: number): Uint8Array<ArrayBuffer> {
  if (length > 65_535) {
    throw new RangeError(`Cannot write a GSSAPI message: found ${length} bytes, expected 65,535 at most`);
  }
  const frame = new Uint8Array(HEADER + length);
  frame[0] = VERSION;
  frame[1] = type;
  frame[2] = length >> 8;
  frame[3] = length & 0xff;
  return frame;
}

/** The message that ends it. */
export function encodeGssapiAbort(): Uint8Array {
  return Uint8Array.of(VERSION, GssapiMessage.ABORT);
}
