/**
 * A user as written down, and ready to be asked for.
 *
 * @module
 */

import type { User } from "./client_info.ts";
import { isPasswordHash, parsePasswordHash, type PasswordHash } from "./password_hash.ts";

/** A user, the password and the groups. */
export interface UserEntry {
  /** The name: 1 to 255 bytes as UTF-8. */
  readonly name: string;
  /**
   * The password: a hash that begins with `$argon2id$`, as {@linkcode hashPassword} and `socks-server passwd` make it,
   * or plain text of 0 to 255 bytes as UTF-8.
   */
  readonly password: string;
  /** The groups that the user belongs to, for rules and limits. */
  readonly groups?: readonly string[] | undefined;
}

/** A user ready to be asked for. */
export interface KnownUser {
  /** Who it is. */
  readonly user: User;
  /** The name's bytes. */
  readonly name: Uint8Array;
  /** The password in plain text, {@linkcode padded}, or its hash. */
  readonly secret: Uint8Array | PasswordHash;
}

const FIELD = 256;

/**
 * Makes a user ready.
 *
 * @param entry The user as written down.
 * @throws {RangeError} If the name is empty, a field too long or the hash not one; the message names the user and not
 * the password.
 */
export function knownUser({ name, password, groups }: UserEntry): KnownUser {
  const encoder = new TextEncoder();
  const bytes = encoder.encode(name);
  if (bytes.length < 1 || bytes.length > 255) {
    throw new RangeError(`Cannot add the user "${name}": a name has 1 to 255 bytes, found ${bytes.length}`);
  }
  const user = groups === undefined ? { name } : { name, groups: [...groups] };
  if (isPasswordHash(password)) {
    try {
      return { user, name: bytes, secret: parsePasswordHash(password) };
    } catch (error) {
      throw new RangeError(`Cannot add the user "${name}": ${(error as Error).message}`);
    }
  }
  const plain = encoder.encode(password);
  if (plain.length > 255) {
    throw new RangeError(`Cannot add the user "${name}": a password has at most 255 bytes, found ${plain.length}`);
  }
  return { user, name: bytes, secret: padded(plain) };
}

/**
 * Every password fills the same number of bytes; the last one keeps its length, so that padding cannot be a match.
 *
 * @param password At most 255 bytes.
 */
export function padded(password: Uint8Array): Uint8Array {
  const field = new Uint8Array(FIELD);
  field.set(password.subarray(0, FIELD - 1));
  field[FIELD - 1] = password.length;
  return field;
}
