/**
 * The rules for the URLs of proxies.
 *
 * @module
 */

import { z } from "zod";
import { parseProxy } from "../client/proxy.ts";
import { expectedSecret } from "./schema_parts.ts";
import type { Secret } from "./secret.ts";
import { secretSchema } from "./secret_schema.ts";

const URL_FORM = "the URL of a proxy such as socks5h://USER:PASSWORD@HOST:1080";

/**
 * What is wrong with the URL of a proxy.
 *
 * @param text What stands there, or in the file or variable that is named there.
 * @returns `found …, expected …`, without it; `undefined` if all is well.
 */
export function proxyProblem(text: string): string | undefined {
  try {
    parseProxy(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return error.message.replace(/^Cannot read the proxy: /, "");
  }
}

/** The URL of a proxy. */
export const proxy: z.ZodType<Secret> = secretSchema(URL_FORM, proxyProblem);

/**
 * Proxies one after the other, at least one; one alone need not be in a list.
 *
 * @param item The rule for one.
 * @param form What it can be.
 */
export function chainOf(item: z.ZodType<Secret>, form: string = URL_FORM): z.ZodType<readonly Secret[]> {
  const words = expectedSecret(`${form}, or a list of URLs, the nearest first`);
  return z.union([
    z.array(item).min(1, { error: words }),
    item.transform((one): readonly Secret[] => [one]),
  ], { error: words }) as z.ZodType<readonly Secret[]>;
}
