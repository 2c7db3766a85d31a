/**
 * Ways to log in other than by password.
 *
 * @module
 */

import type { GssapiOptions } from "./gssapi_options.ts";

/** Ways to log in other than by password. */
export interface AuthOptions {
  /**
   * Logins by GSSAPI with Kerberos.
   *
   * @default None.
   */
  readonly gssapi?: GssapiOptions | undefined;
  /**
   * CHAP: clients prove to know a secret without sending it. It needs users with a `chapSecret`, which is kept as it is: a
   * hash of the password will not do. SOCKS5 clients that can do both are asked for CHAP, so those of users without a
   * `chapSecret` must not offer it.
   *
   * @default Whether any user has a `chapSecret`. With a check of your own `false`; it is asked with `ChapCredentials`.
   */
  readonly chap?: boolean | undefined;
}
