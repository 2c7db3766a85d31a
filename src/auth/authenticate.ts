/**
 * The seam for a check of credentials of your own.
 *
 * @module
 */

import type { ClientInfo, User } from "./client_info.ts";

/** What a client gave to prove who it is. */
export type Credentials = PasswordCredentials | ChapCredentials | UserIdCredentials;

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

/** A name, and proof of knowing its secret (CHAP): the secret itself does not come. */
export interface ChapCredentials {
  /** How they were given. */
  readonly method: "chap";
  /** USER-IDENTITY as UTF-8. */
  readonly username: string;
  /** USER-IDENTITY as it came. */
  readonly bytes: { readonly username: Uint8Array };
  /**
   * Whether the client knows this secret. Nobody is let in without a `true` from here. A client that asks for it is shown
   * that the server knows the secret, too. To be asked for unknown names as well, with any secret, so that the answer
   * takes as long.
   *
   * @param secret The secret; text is UTF-8.
   */
  matches(secret: string | Uint8Array): Promise<boolean>;
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
