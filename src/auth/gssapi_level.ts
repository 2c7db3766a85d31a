/**
 * The level of protection, as both ends agree on it (RFC 1961 section 4).
 *
 * @module
 */

import { GssapiLevel } from "../protocol/gssapi.ts";
import type { GssapiOptions } from "./gssapi_options.ts";

/**
 * The levels that a server takes.
 *
 * @throws {RangeError} If there are none.
 */
export function levelsOf({ levels = ["integrity", "confidentiality"], curl }: GssapiOptions): readonly number[] {
  const codes: number[] = levels.map((level) => {
    if (level === "integrity") return GssapiLevel.INTEGRITY;
    if (level === "confidentiality") return GssapiLevel.CONFIDENTIALITY;
    throw new RangeError(
      `Cannot use auth.gssapi.levels: found ${JSON.stringify(level)}, expected integrity or confidentiality`,
    );
  });
  if (curl === true) codes.push(GssapiLevel.NONE);
  if (codes.length === 0) throw new RangeError("Cannot use auth.gssapi.levels: found none, expected at least one");
  return codes;
}

/**
 * Answers a client.
 *
 * @param wanted The level it asks for.
 * @param levels Those that the server takes.
 * @returns That level, or else the strongest.
 */
export function agreedLevel(wanted: number, levels: readonly number[]): number {
  return levels.includes(wanted) ? wanted : Math.max(...levels);
}
