/**
 * A user as written down, and ready to be asked for.
 *
 * @module
 */

import type { User } from "./client_info.ts";
import { isPasswordHash, parsePasswordHash, type PasswordHash } from "./password_hash.ts";

/** A user, what it proves to be one with, and the groups. It has a password, a secret for CHAP, or both. */
export interface UserEntry {
  /** The name: 1 to 255 bytes as UTF-8. */
  readonly name: string;
  /**
   * The password: a hash that begins with `$argon2id$`, as {@linkcode hashPassword} and `socks-server passwd` make it,
   * or plain text of 0 to 255 bytes as UTF-8. Without one it cannot log in by password.
   */
  readonly password?: string | undefined;
  /**
   * The secret for CHAP, as it is: 1 to 255 bytes as UTF-8. CHAP cannot do with a hash, so whoever reads this can log in.
   * Without one it cannot log in by CHAP.
   */
  readonly chapSecret?: string | undefined;
  /** The groups that the user belongs to, for rules and limits. */
  readonly groups?: readonly string[] | undefined;
}

/** A user ready to be asked for. */
export interface KnownUser {
  /** Who it is. */
  readonly user: User;
  /** The name's bytes. */
  readonly name: Uint8Array;
  /** The password in plain text, {@linkcode padded}, or its hash; absent if it has none. */
  readonly secret?: Uint8Array | PasswordHash | undefined;
  /** The secret for CHAP; absent if it has none. */
  readonly chapSecret?: Uint8Array | undefined;
}

/** A user ready to be asked for, who has a password. */
export type UserWithPassword = KnownUser & { readonly secret: Uint8Array | PasswordHash };

const FIELD = 256;

/**
 * Makes a user ready.
 *
 * @param entry The user as written down.
 * @throws {RangeError} If the name is empty, a field too long, the hash not one, or there is neither password nor secret;
 * the message names the user and not the password.
 */
export function knownUser({ name, password, chapSecret, groups }: UserEntry): KnownUser {
  const bytes = new TextEncoder().encode(name);
  try {
    if (bytes.length < 1 || bytes.length > 255) {
      throw new RangeError(`a name has 1 to 255 bytes, found ${bytes.length}`);
    }
    if (password === undefined && chapSecret === undefined) {
      throw new RangeError("found neither password nor chapSecret");
    }
    return {
      user: groups === undefined ? { name } : { name, groups: [...groups] },
      name: bytes,
      ...password !== undefined && { secret: readPassword(password) },
      ...chapSecret !== undefined && { chapSecret: readChapSecret(chapSecret) },
    };
  } catch (error) {
    throw new RangeError(`Cannot add the user "${name}": ${(error as Error).message}`);
  }
}

function readPassword(password: string): Uint8Array | PasswordHash {
  if (isPasswordHash(password)) return parsePasswordHash(password);
  const plain = new TextEncoder().encode(password);
  if (plain.length > 255) throw new RangeError(`a password has at most 255 bytes, found ${plain.length}`);
  return padded(plain);
}

/**
 * Reads a secret for CHAP.
 *
 * @param secret The secret.
 * @returns Its bytes.
 * @throws {RangeError} `found …, expected …`, without the secret, if it is none.
 */
export function readChapSecret(secret: string): Uint8Array {
  if (isPasswordHash(secret)) {
    throw new RangeError("found a hash, expected the secret as it is: CHAP cannot be checked with a hash");
  }
  const bytes = new TextEncoder().encode(secret);
  if (bytes.length >= 1 && bytes.length <= 255) return bytes;
  throw new RangeError(`found a secret of ${bytes.length} bytes, expected 1 to 255`);
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
