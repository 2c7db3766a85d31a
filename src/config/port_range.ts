/**
 * Port ranges as people write them.
 *
 * @module
 */

import type { PortRange } from "../server/options.ts";

/**
 * Reads `FROM-TO`.
 *
 * @param text What the operator wrote.
 * @returns The range; `undefined` unless both are ports from 1 to 65535 and `FROM` is not above `TO`.
 */
export function parsePortRange(text: string): PortRange | undefined {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [from, to] = [Number(match[1]), Number(match[2])];
  return from >= 1 && from <= to && to <= 65535 ? { from, to } : undefined;
}
