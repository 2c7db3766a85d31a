/**
 * The CHAP subnegotiation (METHOD 03, draft-ietf-aft-socks-chap-01).
 *
 * @module
 */

import { type Decoded, ProtocolError } from "./decoded.ts";

const VERSION = 0x01;

/** The most attributes of a message that are read: the draft needs three at once. */
export const MAX_CHAP_ATTRIBUTES = 16;

/** The longest message that is read: VER, NAVAS, and so many attributes of 255 bytes. */
export const MAX_CHAP: number = 2 + MAX_CHAP_ATTRIBUTES * 257;

/** The types of attributes. */
export const ChapAttribute = {
  STATUS: 0x00,
  TEXT_MESSAGE: 0x01,
  USER_IDENTITY: 0x02,
  CHALLENGE: 0x03,
  RESPONSE: 0x04,
  CHARSET: 0x05,
  IDENTIFIER: 0x10,
  ALGORITHMS: 0x11,
} as const;

/** The algorithms of ALGORITHMS; the draft names others, which nobody speaks. */
export const ChapAlgorithm = { HMAC_MD5: 0x85 } as const;

/** The length of an HMAC-MD5. */
export const CHAP_RESPONSE_LENGTH = 16;

/** An attribute and its value. */
export interface ChapValue {
  /** One of {@linkcode ChapAttribute}, or another that is passed over. */
  readonly type: number;
  /** 0 to 255 bytes. */
  readonly value: Uint8Array;
}

/**
 * Reads a message. The values are copies.
 *
 * @param bytes The bytes so far.
 * @returns The attributes in their order, or `undefined` if more bytes are needed.
 * @throws {ProtocolError} `version` unless VER is 1, `too-long` for more than {@linkcode MAX_CHAP_ATTRIBUTES}.
 */
export function decodeChap(bytes: Uint8Array): Decoded<readonly ChapValue[]> | undefined {
  if (bytes.length > 0 && bytes[0] !== VERSION) {
    throw new ProtocolError("version", `Cannot read a CHAP message: VER is ${bytes[0]}, expected 1`);
  }
  if (bytes.length < 2) return undefined;
  const count = bytes[1]!;
  if (count > MAX_CHAP_ATTRIBUTES) {
    throw new ProtocolError(
      "too-long",
      `Cannot read a CHAP message: ${count} attributes, expected at most ${MAX_CHAP_ATTRIBUTES}`,
    );
  }
  const ends: number[] = [];
  let at = 2;
  for (let i = 0; i < count; i++) {
    if (bytes.length < at + 2) return undefined;
    at += 2 + bytes[at + 1]!;
    if (bytes.length < at) return undefined;
    ends.push(at);
  }
  let start = 2;
  const value = ends.map((end): ChapValue => {
    const attribute = { type: bytes[start]!, value: bytes.slice(start + 2, end) };
    start = end;
    return attribute;
  });
  return { value, length: at };
}

/**
 * Writes a message.
 *
 * @param attributes At most {@linkcode MAX_CHAP_ATTRIBUTES}.
 * @throws {RangeError} If there are more, or a value is longer than 255 bytes.
 */
export function encodeChap(attributes: readonly ChapValue[]): Uint8Array {
  if (attributes.length > MAX_CHAP_ATTRIBUTES) {
    throw new RangeError(
      `Cannot write a CHAP message: ${attributes.length} attributes, expected at most ${MAX_CHAP_ATTRIBUTES}`,
    );
  }
  const message = new Uint8Array(attributes.reduce((sum, { value }) => sum + 2 + value.length, 2));
  message[0] = VERSION;
  message[1] = attributes.length;
  let at = 2;
  for (const { type, value } of attributes) {
    if (value.length > 255) {
      throw new RangeError(`Cannot write a CHAP attribute of ${value.length} bytes: expected at most 255`);
    }
    message[at] = type;
    message[at + 1] = value.length;
    message.set(value, at + 2);
    at += 2 + value.length;
  }
  return message;
}

/** Writes a message that is a STATUS: 0 is success, all else ends the talk. */
export function encodeChapStatus(status: number, ...more: readonly ChapValue[]): Uint8Array {
  return encodeChap([{ type: ChapAttribute.STATUS, value: Uint8Array.of(status) }, ...more]);
}

/**
 * Whether a STATUS says that all is well.
 *
 * @param value Its value; one without a byte says nothing good.
 */
export function isChapSuccess(value: Uint8Array): boolean {
  return value.length > 0 && value.every((byte) => byte === 0);
}
