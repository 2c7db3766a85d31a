/**
 * Users with passwords in plain text, compared in constant time.
 *
 * @module
 */

import type { Authenticate } from "./authenticate.ts";

/** A user and the password. */
export interface UserEntry {
  /** The name: 1 to 255 bytes as UTF-8. */
  readonly name: string;
  /** The password: 0 to 255 bytes as UTF-8. */
  readonly password: string;
}

const FIELD = 256;

interface Entry {
  readonly name: string;
  readonly secret: Uint8Array;
}

/**
 * Makes an {@linkcode Authenticate} of a list of users. It does the same work for a name that is not in the list as
 * for a wrong password, whatever their lengths. A SOCKS4 user id counts only if IDENT confirmed it.
 *
 * @param users The users; names must differ.
 * @throws {RangeError} If a field is too long, a name empty or given twice.
 *
 * @example Two users
 * ```ts
 * import { serve, userList } from "@x/socks";
 *
 * await using server = await serve({
 *   listen: "127.0.0.1:0",
 *   authenticate: userList([{ name: "ada", password: "lovelace" }, { name: "alan", password: "turing" }]),
 * });
 * ```
 */
export function userList(users: readonly UserEntry[]): Authenticate {
  const encoder = new TextEncoder();
  const entries = new Map<string, Entry>();
  for (const { name, password } of users) {
    const fields = { name: encoder.encode(name), password: encoder.encode(password) };
    if (fields.name.length < 1 || fields.name.length > 255) {
      throw new RangeError(`Cannot add the user "${name}": a name has 1 to 255 bytes, found ${fields.name.length}`);
    }
    if (fields.password.length > 255) {
      throw new RangeError(
        `Cannot add the user "${name}": a password has at most 255 bytes, found ${fields.password.length}`,
      );
    }
    const key = keyOf(fields.name);
    if (entries.has(key)) throw new RangeError(`Cannot add the user "${name}": the name is taken`);
    entries.set(key, { name, secret: padded(fields.password) });
  }
  // Compared with when the name is unknown. It matches 255 bytes of FF alone, and then there is no entry either.
  const nobody = new Uint8Array(FIELD).fill(0xff);

  return (credentials) => {
    if (credentials.method === "user-id") {
      const entry = entries.get(keyOf(encoder.encode(credentials.username)));
      return credentials.verified && entry !== undefined ? { name: entry.name } : undefined;
    }
    const entry = entries.get(keyOf(credentials.bytes.username));
    const same = equal(padded(credentials.bytes.password), entry?.secret ?? nobody);
    return same && entry !== undefined ? { name: entry.name } : undefined;
  };
}

/** Bytes as a string of the same length: two names are one exactly if their bytes are. */
function keyOf(bytes: Uint8Array): string {
  let key = "";
  for (const byte of bytes) key += String.fromCharCode(byte);
  return key;
}

/** Every password fills the same number of bytes; the last one keeps its length, so that padding cannot be a match. */
function padded(password: Uint8Array): Uint8Array {
  const field = new Uint8Array(FIELD);
  field.set(password.subarray(0, FIELD - 1));
  field[FIELD - 1] = password.length;
  return field;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < FIELD; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
