/**
 * Whether a server offers CHAP, and passwords beside it.
 *
 * @module
 */

import type { Authenticate } from "../auth/authenticate.ts";
import { chap } from "../auth/chap.ts";
import type { AuthMethod } from "../auth/method.ts";
import { usernamePassword } from "../auth/username_password.ts";
import type { HandleOptions } from "./options.ts";

/** Methods that look at what a user knows. */
export interface SecretMethods {
  /** Absent if no user has a password. */
  readonly password: AuthMethod | undefined;
  /** Absent if it is not offered. */
  readonly chap: AuthMethod | undefined;
}

/**
 * Makes the methods that look at what a user knows.
 *
 * @param options What the server was told.
 * @param authenticate The check of all of them; absent if nobody has to log in.
 * @throws {RangeError} If CHAP is to be offered and no user can use it, or is not and users can use nothing else.
 */
export function secretMethods(options: HandleOptions, authenticate: Authenticate | undefined): SecretMethods {
  const problem = chapProblem(options);
  if (problem !== undefined) throw new RangeError(`Cannot use auth.chap: ${problem}`);
  if (authenticate === undefined) return { password: undefined, chap: undefined };
  const hasOwnCheck = options.authenticate !== undefined;
  const { users = [] } = options;
  const hasPasswords = hasOwnCheck || users.some(({ password }) => password !== undefined);
  const hasChap = options.auth?.chap ?? (!hasOwnCheck && users.some(({ chapSecret }) => chapSecret !== undefined));
  return {
    password: hasPasswords ? usernamePassword(authenticate) : undefined,
    chap: hasChap ? chap(authenticate) : undefined,
  };
}

/**
 * What is wrong with `auth.chap`.
 *
 * @param options What the server was told, or is to be.
 * @returns `found …, expected …`; `undefined` if all is well.
 */
export function chapProblem(options: Pick<HandleOptions, "auth" | "authenticate" | "users">): string | undefined {
  const { auth, authenticate, users = [] } = options;
  if (authenticate !== undefined) return undefined;
  if (auth?.chap === true && !users.some(({ chapSecret }) => chapSecret !== undefined)) {
    return "found no user with a chapSecret, expected one at least: CHAP cannot do with a password's hash, nor with a " +
      "password that is not meant for it";
  }
  const lost = auth?.chap === false ? users.find(({ password }) => password === undefined) : undefined;
  if (lost === undefined) return undefined;
  return `found false, and no password for "${lost.name}", expected one, or true`;
}
