/**
 * The rules for users.
 *
 * @module
 */

import { z } from "zod";
import { isPasswordHash, parsePasswordHash } from "../auth/password_hash.ts";
import { readChapSecret } from "../auth/user_entry.ts";
import { describeFound } from "./found.ts";
import { expected, expectedSecret } from "./schema_parts.ts";
import type { Secret } from "./secret.ts";
import { ELSEWHERE, secretSchema } from "./secret_schema.ts";

/** A user as it is written. */
export interface UserSetting {
  /** The name. */
  readonly name: string;
  /** The password or its hash; only with a secret for CHAP it may be absent. */
  readonly password?: Secret | undefined;
  /** The secret for CHAP, as it is. */
  readonly chapSecret?: Secret | undefined;
  /** The groups it belongs to. */
  readonly groups?: readonly string[] | undefined;
}

const byteLength = (text: string): number => new TextEncoder().encode(text).length;

/**
 * What is wrong with a password or hash.
 *
 * @param password What stands there, or in the file or variable that is named there.
 * @returns `found …, expected …`, without it; `undefined` if all is well.
 */
export function passwordProblem(password: string): string | undefined {
  if (!isPasswordHash(password)) {
    return byteLength(password) > 255 ? expectedSecret(PASSWORD)({ input: password }) : undefined;
  }
  try {
    parsePasswordHash(password);
    return undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return error.message;
  }
}

/**
 * What is wrong with a secret for CHAP.
 *
 * @param secret What stands there, or in the file or variable that is named there.
 * @returns `found …, expected …`, without it; `undefined` if all is well.
 */
export function chapSecretProblem(secret: string): string | undefined {
  try {
    readChapSecret(secret);
    return undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return error.message;
  }
}

const PASSWORD = "text of at most 255 bytes";
const CHAP_SECRET = "text of 1 to 255 bytes, as it is";

const nameWords = expected("a name of 1 to 255 bytes");
const groupWords = expected("the name of a group");

const user = z.strictObject({
  name: z.string({ error: nameWords })
    .refine((name) => name !== "" && byteLength(name) <= 255, { error: nameWords })
    .describe("The name to log in with."),
  password: secretSchema(PASSWORD, passwordProblem)
    .describe("The password, or a hash made by socks-server passwd.").optional(),
  chapSecret: secretSchema(CHAP_SECRET, chapSecretProblem)
    .describe("The secret for CHAP, as it is: CHAP cannot do with a hash.").optional(),
  groups: z.array(z.string({ error: groupWords }).min(1, { error: groupWords }), {
    error: expected('a list such as ["staff"]'),
  }).describe("Groups it belongs to, for rules and limits.").optional(),
}, { error: expectedSecret('an object such as { "name": "ada", "password": "…" }') }).superRefine((user, context) => {
  if (user.password !== undefined || user.chapSecret !== undefined) return;
  context.addIssue({ code: "custom", path: ["password"], message: expectedSecret(`${PASSWORD}, ${ELSEWHERE}`)({}) });
}, { when: ({ value }) => typeof value === "object" && value !== null && !Array.isArray(value) });

/** Users, each with a name of its own. */
export const users: z.ZodType<readonly UserSetting[]> = z.array(user, {
  error: expectedSecret('a list such as [{ "name": "ada", "password": "…" }]'),
}).superRefine((list, context) => {
  const names = list.map((entry): unknown => entry?.name);
  names.forEach((name, index) => {
    if (typeof name !== "string" || name === "" || names.indexOf(name) === index) return;
    context.addIssue({
      code: "custom",
      path: [index, "name"],
      message: `found ${describeFound(name)} a second time, expected each name once`,
    });
  });
}, { when: ({ value }) => Array.isArray(value) });
