/**
 * How GSSAPI is configured.
 *
 * @module
 */

import type { GssapiUsers } from "./gssapi_users.ts";

/** What becomes of all that follows the login. */
export const GSSAPI_LEVELS = ["integrity", "confidentiality"] as const satisfies readonly GssapiLevelName[];

/** What becomes of all that follows the login: it cannot be changed, or it cannot be read either. */
export type GssapiLevelName = "integrity" | "confidentiality";

/**
 * Logins by GSSAPI (RFC 1961) with Kerberos. It needs the package `koffi` and the library `libgssapi_krb5`.
 */
export interface GssapiOptions {
  /** The path of a keytab with the key of the service. */
  readonly keytab: string;
  /**
   * The only service that clients may have a ticket for, such as `rcmd` or `rcmd/proxy.example@EXAMPLE.ORG`.
   *
   * @default Any in the keytab.
   */
  readonly service?: string | undefined;
  /**
   * What clients may choose. One that asks for another gets the strongest, and may leave.
   *
   * @default {["integrity", "confidentiality"]}
   */
  readonly levels?: readonly GssapiLevelName[] | undefined;
  /**
   * Serves curl, which puts nothing into tokens: what follows the login goes as it is, for clients that ask for that, and
   * with no `levels` for all.
   *
   * @default {false}
   */
  readonly curl?: boolean | undefined;
  /**
   * Takes the level from clients of NEC's making, which do not protect it: whoever is in between could lower it.
   *
   * @default {false}
   */
  readonly nec?: boolean | undefined;
  /**
   * Who may log in, and as whom.
   *
   * @default Every principal that has a ticket, as a user of that name: `alice@EXAMPLE.ORG`.
   */
  readonly users?: GssapiUsers | undefined;
}
