/**
 * The seam for a check of credentials of your own.
 *
 * @module
 */

import type { ClientInfo, User } from "./client_info.ts";

/** What a client gave to prove who it is. */
export type Credentials = PasswordCredentials | UserIdCredentials;

/** A name and a password (RFC 1929). */
export interface PasswordCredentials {
  /** How they were given. */
  readonly method: "password";
  /** UNAME as UTF-8. */
  readonly username: string;
  /** PASSWD as UTF-8. */
  readonly password: string;
  /** UNAME and PASSWD as they came: a name that is not UTF-8 can still be told from another. */
  readonly bytes: { readonly username: Uint8Array; readonly password: Uint8Array };
}

/** The USERID of a SOCKS4 request. */
export interface UserIdCredentials {
  /** How they were given. */
  readonly method: "user-id";
  /** USERID as UTF-8. */
  readonly username: string;
  /** Whether IDENT (RFC 1413) on the client's host says the same. Without that it is a claim and no more. */
  readonly verified: boolean;
}

/**
 * Says who gave these credentials: the user, or `undefined` to refuse. A throw refuses as well; the message of an
 * {@linkcode AuthenticationError} is for the log.
 *
 * @example Let a service of your own decide
 * ```ts
 * import { type Authenticate } from "@x/socks";
 * import { assertEquals } from "@std/assert";
 *
 * const authenticate: Authenticate = (credentials) =>
 *   credentials.method === "password" && credentials.username === "ada" ? { name: "ada" } : undefined;
 * assertEquals(typeof authenticate, "function");
 * ```
 */
export type Authenticate = (
  credentials: Credentials,
  client: ClientInfo,
) => User | undefined | Promise<User | undefined>;
