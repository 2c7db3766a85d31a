/**
 * Rates as people write them.
 *
 * @module
 */

import type { Rate } from "../policy/limit.ts";
import { formatDuration, parseDuration } from "./duration.ts";

/**
 * Reads a rate: `20/s`, `100/m`, `1000/h`, `5/10s`.
 *
 * @param text What the operator wrote.
 * @returns The rate; `undefined` if it is none, or less than once.
 */
export function parseRate(text: string): Rate | undefined {
  const match = /^(\d{1,15})\/(\d*(?:ms|s|m|h))$/.exec(text);
  if (match === null) return undefined;
  const count = Number(match[1]);
  const per = parseDuration(/^\d/.test(match[2]!) ? match[2]! : `1${match[2]}`);
  return count < 1 || per === undefined || per === 0 ? undefined : { count, per };
}

/** Writes a rate for {@linkcode parseRate}. */
export function formatRate({ count, per }: Rate): string {
  return `${count}/${formatDuration(per).replace(/^1(?=[a-z])/, "")}`;
}
