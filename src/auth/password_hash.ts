/**
 * Hashes of passwords, as argon2id writes them: `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`.
 *
 * @module
 */

import { type Argon2, type Argon2Cost, argon2Here } from "./argon2.ts";

/** A hash that was read. */
export interface PasswordHash extends Argon2Cost {
  /** The salt, 8 to 64 bytes. */
  readonly salt: Uint8Array;
  /** The hash, 16 to 64 bytes. */
  readonly hash: Uint8Array;
}

/** What a new hash costs: OWASP's first choice for argon2id with 19 MiB. */
export const PASSWORD_COST: Argon2Cost = { memory: 19_456, passes: 2, lanes: 1 };

/** What a hash may cost at most: 1 GiB and 100 passes keep a thread busy for minutes. */
const MOST: Argon2Cost = { memory: 1_048_576, passes: 100, lanes: 16 };

/** Beginnings of hashes that are not read: taken for plain text, the hash itself would be the password. */
const FOREIGN = /^\$(argon2[\w-]*|2[abxy]?|[1567y]|gy|md5|apr1|sha1|scrypt|pbkdf2[\w-]*|bcrypt[\w-]*)\$/;

/**
 * Tells a hash from plain text.
 *
 * @param password What stands where a password is expected.
 */
export function isPasswordHash(password: string): boolean {
  return FOREIGN.test(password);
}

/**
 * Reads a hash.
 *
 * @param text `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`.
 * @throws {RangeError} If it is none, or one that costs too much: `found …, expected …`, without the hash.
 */
export function parsePasswordHash(text: string): PasswordHash {
  const [, kind] = FOREIGN.exec(text) ?? [];
  if (kind !== "argon2id") fail(kind === undefined ? "no hash" : `a hash of the kind ${kind}`, "one of argon2id");
  const [, , version, costs, salt, hash, ...rest] = text.split("$");
  if (version !== "v=19") fail("another version of argon2id", "v=19");
  const [, m, t, p] = /^m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})$/.exec(costs ?? "") ?? [];
  if (p === undefined) fail("no costs after v=19", "m=MEMORY,t=PASSES,p=LANES");
  const cost = { memory: Number(m), passes: Number(t), lanes: Number(p) };
  inRange("p", cost.lanes, 1, MOST.lanes);
  inRange("t", cost.passes, 1, MOST.passes);
  inRange("m", cost.memory, 8 * cost.lanes, MOST.memory);
  if (rest.length > 0) fail("something after the hash", "nothing");
  return { ...cost, salt: bytesOf("salt", salt, 8, 64), hash: bytesOf("hash", hash, 16, 64) };
}

/**
 * Writes a hash.
 *
 * @param hash The hash.
 * @returns `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`.
 */
export function formatPasswordHash({ memory, passes, lanes, salt, hash }: PasswordHash): string {
  return `$argon2id$v=19$m=${memory},t=${passes},p=${lanes}$${base64(salt)}$${base64(hash)}`;
}

/** Options for {@linkcode hashPassword}. */
export interface HashPasswordOptions {
  /** What it costs; {@linkcode PASSWORD_COST} by default. */
  readonly cost?: Argon2Cost | undefined;
  /** What computes it; by default this thread, some 50 ms long. */
  readonly argon2?: Argon2 | undefined;
}

/**
 * Makes a hash of a password, with a salt of its own, for {@linkcode UserEntry.password} and for users files.
 *
 * @param password The password: 1 to 255 bytes as UTF-8.
 * @param options What it costs.
 * @returns `$argon2id$v=19$m=…,t=…,p=…$SALT$HASH`.
 * @throws {RangeError} If the password is empty or too long.
 *
 * @example A user whose password nobody can read
 * ```ts
 * import { hashPassword, userList } from "@x/socks";
 * import { assertMatch } from "@std/assert";
 *
 * const password = await hashPassword("lovelace");
 * assertMatch(password, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
 * const authenticate = userList([{ name: "ada", password }]);
 * ```
 */
export async function hashPassword(password: string, options: HashPasswordOptions = {}): Promise<string> {
  const { cost = PASSWORD_COST, argon2 = argon2Here } = options;
  const bytes = new TextEncoder().encode(password);
  if (bytes.length < 1 || bytes.length > 255) {
    throw new RangeError(`Cannot hash a password: found ${bytes.length} bytes, expected 1 to 255`);
  }
  const salt = crypto.getRandomValues(new Uint8Array(16));
  return formatPasswordHash({ ...cost, salt, hash: await argon2({ ...cost, password: bytes, salt, length: 32 }) });
}

function fail(found: string, expected: string): never {
  throw new RangeError(`found ${found}, expected ${expected}`);
}

function inRange(name: string, value: number, least: number, most: number): void {
  if (value < least || value > most) fail(`${name}=${value}`, `${least} to ${most}`);
}

function bytesOf(name: string, text: string | undefined, least: number, most: number): Uint8Array {
  if (text === undefined) fail(`no ${name}`, "$argon2id$v=19$m=…,t=…,p=…$SALT$HASH");
  let bytes: Uint8Array | undefined;
  try {
    bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    // It is told from other faults below.
  }
  // Writing it again finds padding, spaces and bits that count for nothing.
  if (bytes === undefined || base64(bytes) !== text) fail(`a ${name} that is no base64`, "base64 without padding");
  if (bytes.length < least || bytes.length > most) {
    fail(`a ${name} of ${bytes.length} bytes`, `${least} to ${most} bytes`);
  }
  return bytes;
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/=+$/, "");
}
