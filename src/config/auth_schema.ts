/**
 * The rules for `auth`.
 *
 * @module
 */

import { z } from "zod";
import type { AuthOptions } from "../auth/auth_options.ts";
import { GSSAPI_LEVELS } from "../auth/gssapi_options.ts";
import { type GssapiUser, gssapiUsers } from "../auth/gssapi_users.ts";
import type { MethodName } from "../server/methods.ts";
import { expected, flag, listOf, oneOf, path, text } from "./schema_parts.ts";

/** Ways to log in, and which of them are offered. */
export interface AuthSetting extends AuthOptions {
  /** The methods that SOCKS5 clients may choose from, best first. */
  readonly methods?: readonly MethodName[] | undefined;
  /** Others for the clients of a listener, by the listener's name. */
  readonly listeners?: Readonly<Record<string, readonly MethodName[]>> | undefined;
}

const METHOD_NAMES: readonly MethodName[] = ["none", "password", "gssapi", "chap"];
const methods = listOf(oneOf(METHOD_NAMES), '["gssapi", "password"]');

const userWords = expected('a name, or an object such as { "name": "alice", "groups": ["staff"] }');
const user: z.ZodType<GssapiUser> = z.union([
  z.string({ error: userWords }),
  z.strictObject({
    name: text.describe("The name."),
    groups: listOf(text, '["staff"]').describe("The groups it belongs to.").optional(),
  }),
], { error: userWords });

const users = z.record(z.string(), user, {
  error: expected('an object such as { "*@EXAMPLE.ORG": "*" }'),
}).superRefine((users, context) => {
  for (const [principal, user] of Object.entries(users)) {
    try {
      gssapiUsers({ [principal]: user });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.addIssue({
        code: "custom",
        path: [principal],
        message: error.message.replace(/^Cannot use [\w.]+: /, ""),
      });
    }
  }
});

const gssapi = z.strictObject({
  keytab: path.describe("A keytab with the key of the service."),
  service: text.describe("The only service that clients may have a ticket for. Default: any in the keytab.").optional(),
  levels: z.array(oneOf(GSSAPI_LEVELS), { error: expected('a list such as ["confidentiality"]') })
    .describe("How what follows the login may be protected. Default: both.").optional(),
  curl: flag.describe("Whether clients may have what follows the login unprotected, as curl does.").optional(),
  nec: flag.describe("Whether the level is taken unprotected, as clients of NEC's making send it.").optional(),
  users: users.describe("Principals and the users that they are; a * in both stands for the same.").optional(),
}, { error: expected('an object such as { "keytab": "/etc/socks.keytab" }') }).superRefine((gssapi, context) => {
  if (gssapi.levels?.length !== 0 || gssapi.curl === true) return;
  const message = "found none, expected integrity, confidentiality or both, or curl: true";
  context.addIssue({ code: "custom", path: ["levels"], message });
});

/** Ways to log in other than by password. */
export const auth: z.ZodType<AuthSetting> = z.strictObject({
  gssapi: gssapi.describe("GSSAPI with Kerberos (RFC 1961); wants koffi and libgssapi_krb5.").optional(),
  chap: flag.describe(
    "CHAP (HMAC-MD5), for users with a chapSecret. Default: where there are any.",
  ).optional(),
  methods: methods.describe("What SOCKS5 clients may choose from, best first. Default: what is configured.").optional(),
  listeners: z.record(z.string(), methods, { error: expected('an object such as { "office": ["gssapi"] }') })
    .describe("Other methods for the clients of a listener, by its name.").optional(),
}, { error: expected('an object such as { "chap": true }') });
