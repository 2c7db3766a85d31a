/**
 * Which version of this program runs, and on what.
 *
 * @module
 */

import process from "node:process";
import config from "../../deno.json" with { type: "json" };

/** The version of this program. */
export const VERSION: string = config.version;

/** The runtime and its version: `deno 2.9.6`. */
export function runtimeVersion(): string {
  const { deno, bun, node } = process.versions;
  if (deno !== undefined) return `deno ${deno}`;
  return bun !== undefined ? `bun ${bun}` : `node ${node}`;
}
