/**
 * The rules for the place where counts are kept.
 *
 * @module
 */

import { z } from "zod";
import { parseRedisUrl } from "../policy/redis_url.ts";
import { expectedSecret, oneOf, path } from "./schema_parts.ts";
import type { Secret } from "./secret.ts";
import { secretSchema } from "./secret_schema.ts";

/** The place where counts are kept, as it is written. */
export interface StoreSetting {
  /** A file. */
  readonly file?: string | undefined;
  /** A Redis server; its URL may hold a password. */
  readonly redis?: Secret | undefined;
  /** What happens while Redis is away. */
  readonly fail?: "open" | "closed" | undefined;
}

const URL_FORM = "redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS";

/**
 * What is wrong with the URL of a Redis server.
 *
 * @param text What stands there, or in the file or variable that is named there.
 * @returns `found …, expected …`, without it; `undefined` if all is well.
 */
export function redisProblem(text: string): string | undefined {
  try {
    parseRedisUrl(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return error.message;
  }
}

/** Where counts are kept. */
export const store: z.ZodType<StoreSetting> = z.strictObject({
  file: path.describe("A file, for one process.").optional(),
  redis: secretSchema(URL_FORM, redisProblem)
    .describe("The URL of a Redis server, for any number of processes.").optional(),
  fail: oneOf(["open", "closed"]).describe("What happens to new sessions while Redis is away.").optional(),
}, { error: expectedSecret('an object such as { "file": "counts.json" }') }).superRefine((store, context) => {
  const { file, redis, fail } = store;
  const wrong = (path: string, message: string): void => context.addIssue({ code: "custom", path: [path], message });
  if (file !== undefined && redis !== undefined) wrong("file", "found it beside redis, expected one of them");
  if (fail !== undefined && redis === undefined) {
    wrong("fail", "found it without redis, expected it beside redis alone");
  }
  if (file === undefined && redis === undefined && fail === undefined) {
    context.addIssue({ code: "custom", message: "found neither file nor redis, expected one of them" });
  }
});
