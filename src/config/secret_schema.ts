/**
 * The rules for secrets.
 *
 * @module
 */

import { z } from "zod";
import { expected, expectedSecret, path } from "./schema_parts.ts";
import type { Secret } from "./secret.ts";

const variableWords = expected("the name of an environment variable");

/** The other ways to write a secret. */
export const ELSEWHERE = "{ file: PATH } or { env: NAME }";

/**
 * The rule for a secret.
 *
 * @param what What it is, with its bounds.
 * @param problem What is wrong with text, without it.
 */
export function secretSchema(what: string, problem: (text: string) => string | undefined): z.ZodType<Secret> {
  const words = expectedSecret(`${what}, ${ELSEWHERE}`);
  return z.union([
    z.string().superRefine((text, context) => {
      const message = problem(text);
      if (message !== undefined) context.addIssue({ code: "custom", message });
    }),
    z.strictObject({ file: path }).describe("The file that holds it."),
    z.strictObject({
      env: z.string({ error: variableWords }).regex(/^[A-Za-z_][A-Za-z0-9_]*$/, { error: variableWords }),
    }).describe("The environment variable that holds it."),
  ], { error: words });
}
