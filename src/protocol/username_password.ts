/**
 * The username/password subnegotiation (RFC 1929).
 *
 * @module
 */

import { type Decoded, ProtocolError } from "./decoded.ts";

const VERSION = 0x01;

/** The longest login: VER, ULEN, 255 bytes, PLEN, 255 bytes. */
export const MAX_LOGIN = 513;

/** UNAME and PASSWD: any bytes, 0 to 255 of them. */
export interface Login {
  /** UNAME. */
  readonly username: Uint8Array;
  /** PASSWD. */
  readonly password: Uint8Array;
}

/**
 * Reads a client's login. The fields are copies.
 *
 * @param bytes The bytes so far.
 * @returns The login, or `undefined` if more bytes are needed.
 * @throws {ProtocolError} `version` unless VER is 1 (it is not 5 here).
 */
export function decodeLogin(bytes: Uint8Array): Decoded<Login> | undefined {
  if (bytes.length > 0) checkVersion(bytes[0]!);
  if (bytes.length < 2) return undefined;
  const passwordLengthAt = 2 + bytes[1]!;
  if (bytes.length <= passwordLengthAt) return undefined;
  const passwordAt = passwordLengthAt + 1;
  const end = passwordAt + bytes[passwordLengthAt]!;
  if (bytes.length < end) return undefined;
  return {
    value: { username: bytes.slice(2, passwordLengthAt), password: bytes.slice(passwordAt, end) },
    length: end,
  };
}

/** Writes a client's login. */
export function encodeLogin(login: Login): Uint8Array {
  const { username, password } = login;
  if (username.length > 255 || password.length > 255) {
    throw new RangeError(
      `Cannot write a login: name of ${username.length} and password of ${password.length} bytes, expected at most 255`,
    );
  }
  const message = new Uint8Array(3 + username.length + password.length);
  message[0] = VERSION;
  message[1] = username.length;
  message.set(username, 2);
  message[2 + username.length] = password.length;
  message.set(password, 3 + username.length);
  return message;
}

/** Reads the server's STATUS: 0 is success. */
export function decodeLoginStatus(bytes: Uint8Array): Decoded<number> | undefined {
  if (bytes.length > 0) checkVersion(bytes[0]!);
  return bytes.length < 2 ? undefined : { value: bytes[1]!, length: 2 };
}

/** Writes the server's STATUS: 0 is success. */
export function encodeLoginStatus(status: number): Uint8Array {
  return Uint8Array.of(VERSION, status);
}

function checkVersion(version: number): void {
  if (version === VERSION) return;
  throw new ProtocolError("version", `Cannot read a login: VER is ${version}, expected 1`);
}
