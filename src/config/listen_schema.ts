/**
 * The rules for places to listen.
 *
 * @module
 */

import { z } from "zod";
import { parseEndpoint } from "../net/endpoint.ts";
import type { ListenEntry } from "./config.ts";
import { describeFound } from "./found.ts";
import { expected, text } from "./schema_parts.ts";

const ADDRESS = "HOST:PORT such as 127.0.0.1:1080, [IPv6]:PORT or unix:PATH (a port is 0 to 65535)";
const addressWords = expected(ADDRESS);
/** The address of a place to listen. */
export const endpoint: z.ZodType<string> = z.string({ error: addressWords })
  .refine(isEndpoint, { error: addressWords });

const entry = z.union([
  endpoint.transform((address): ListenEntry => ({ address })),
  z.strictObject({
    address: endpoint.describe("HOST:PORT, [IPv6]:PORT or unix:PATH."),
    name: text.describe("What rules, limits and the log call it.").optional(),
  }),
], { error: expected(`${ADDRESS}, or an object such as { "address": "0.0.0.0:1080", "name": "office" }`) });

/** Places to listen, at least one. */
export const listen: z.ZodType<readonly ListenEntry[]> = z.array(entry, {
  error: expected('a list such as ["127.0.0.1:1080"]'),
})
  .min(1, { error: expected('a list of at least one address such as ["127.0.0.1:1080"]') })
  .superRefine((list, context) => {
    const places = list.map((entry): unknown => entry?.address);
    places.forEach((address, index) => {
      if (typeof address !== "string" || places.indexOf(address) === index || address.endsWith(":0")) return;
      const message = `found ${describeFound(address)} a second time, expected each address once`;
      context.addIssue({ code: "custom", path: [index], message });
    });
  }, { when: ({ value }) => Array.isArray(value) });

function isEndpoint(text: string): boolean {
  try {
    parseEndpoint(text);
    return true;
  } catch {
    return false;
  }
}
