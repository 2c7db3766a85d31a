/**
 * Users with passwords, hashed or in plain text, and with secrets for CHAP.
 *
 * @module
 */

import type { Argon2 } from "./argon2.ts";
import { sharedArgon2 } from "./argon2_pool.ts";
import type { Authenticate, ChapCredentials, PasswordCredentials } from "./authenticate.ts";
import type { User } from "./client_info.ts";
import { PasswordCache, sameBytes } from "./password_cache.ts";
import { PasswordCheck } from "./password_check.ts";
import type { PasswordHash } from "./password_hash.ts";
import { type KnownUser, knownUser, padded, type UserEntry, type UserWithPassword } from "./user_entry.ts";

export type { UserEntry } from "./user_entry.ts";

/** Options for {@linkcode userList}. */
export interface UserListOptions {
  /**
   * Takes the user id of SOCKS4 at its word. It has no password, so whoever knows a name is that user. Without this a
   * user id counts only if IDENT confirmed it.
   *
   * @default {false}
   */
  readonly trustUserIds?: boolean | undefined;
  /**
   * How long a password that matched a hash is remembered, in milliseconds, so that the slow check is not made for each
   * connection; 0 is never. Kept is a keyed code of it, for at most 1,000 users.
   *
   * @default {300_000}
   */
  readonly remember?: number | undefined;
  /** What computes argon2id; by default threads of its own, which all lists share. */
  readonly argon2?: Argon2 | undefined;
  /** The time in milliseconds, from any start; by default that of `performance`. */
  readonly now?: (() => number) | undefined;
}

/**
 * Makes an {@linkcode Authenticate} of a list of users. It does the same work for a name that is not in the list as
 * for a wrong password, whatever their lengths.
 *
 * If any password is a hash, every check costs one argon2id: that of the user's hash, or that of the list's first hash
 * for unknown names and for passwords in plain text. Only hashes of different costs can be told apart by the time they
 * take; {@linkcode userAdvice} warns of them. A password that matched is remembered for some minutes and then costs
 * microseconds. Logins beyond 256 that wait for their check are refused.
 *
 * @param users The users; names must differ.
 * @param options What to take at its word, and how long to remember.
 * @throws {RangeError} If a field is too long, a name empty or given twice, a hash not one of argon2id or one that
 * costs more than 1 GiB or 100 passes; if a user has neither a password nor a secret for CHAP.
 *
 * @example Two users
 * ```ts
 * import { hashPassword, serve, userList } from "@x/socks";
 *
 * await using server = await serve({
 *   listen: "127.0.0.1:0",
 *   authenticate: userList([
 *     { name: "ada", password: await hashPassword("lovelace"), groups: ["staff"] },
 *     { name: "alan", password: "turing" },
 *   ]),
 * });
 * ```
 */
export function userList(users: readonly UserEntry[], options: UserListOptions = {}): Authenticate {
  const encoder = new TextEncoder();
  const known = new Map<string, KnownUser>();
  let first: PasswordHash | undefined;
  for (const entry of users) {
    const user = knownUser(entry);
    const key = keyOf(user.name);
    if (known.has(key)) throw new RangeError(`Cannot add the user "${entry.name}": the name is taken`);
    known.set(key, user);
    if (user.secret !== undefined && !(user.secret instanceof Uint8Array)) first ??= user.secret;
  }

  const check = first === undefined ? plainCheck() : hashedCheck(first, options);
  const checkChap = chapCheck();
  return (credentials, client) => {
    if (credentials.method === "password") {
      const user = known.get(keyOf(credentials.bytes.username));
      return check(hasPassword(user) ? user : undefined, credentials, client.signal);
    }
    if (credentials.method === "chap") return checkChap(known.get(keyOf(credentials.bytes.username)), credentials);
    const isProven = credentials.verified || options.trustUserIds === true;
    return isProven ? known.get(keyOf(encoder.encode(credentials.username)))?.user : undefined;
  };
}

/** Says whether a user has a password. */
type Check = (
  known: UserWithPassword | undefined,
  credentials: PasswordCredentials,
  signal: AbortSignal,
) => User | undefined | Promise<User | undefined>;

/** Compares plain text. */
function plainCheck(): Check {
  // Compared with when the name is unknown. It matches 255 bytes of FF alone, and then there is no user either.
  const nobody = padded(new Uint8Array(255).fill(0xff));
  return (known, { bytes }) => {
    const secret = known?.secret instanceof Uint8Array ? known.secret : nobody;
    return sameBytes(padded(bytes.password), secret) ? known?.user : undefined;
  };
}

/** Computes a hash, unless the password was right a moment ago. */
function hashedCheck(first: PasswordHash, { argon2 = sharedArgon2, remember, now }: UserListOptions): Check {
  const cache = new PasswordCache({ life: remember, now });
  const check = new PasswordCheck(argon2, first);
  return (known, { bytes: { username, password } }, signal) => {
    if (cache.has(username, password)) return known?.user;
    return check.run(known, username, password, signal).then(async (isRight) => {
      if (!isRight) return undefined;
      await cache.add(username, password).catch(() => {}); // without it the next login is slower, and no worse
      return known?.user;
    });
  };
}

function hasPassword(user: KnownUser | undefined): user is UserWithPassword {
  return user?.secret !== undefined;
}

/** Has the proof of a secret for CHAP looked at. */
function chapCheck(): (known: KnownUser | undefined, credentials: ChapCredentials) => Promise<User | undefined> {
  const nobodys = crypto.getRandomValues(new Uint8Array(32));
  return async (known, { matches }) => {
    const isRight = await matches(known?.chapSecret ?? nobodys);
    return isRight && known?.chapSecret !== undefined ? known.user : undefined;
  };
}

/** Bytes as a string of the same length: two names are one exactly if their bytes are. */
function keyOf(bytes: Uint8Array): string {
  let key = "";
  for (const byte of bytes) key += String.fromCharCode(byte);
  return key;
}
