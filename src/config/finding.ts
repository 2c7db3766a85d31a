/**
 * What is found where settings name each other.
 *
 * @module
 */

import { describeFound } from "./found.ts";
import { nearest } from "./nearest.ts";
import { printable } from "./printable.ts";

/** What is wrong, or may be, with what settings say of each other. */
export interface Finding {
  /** Where it is said. */
  readonly path: readonly PropertyKey[];
  /** What was found. */
  readonly message: string;
  /** Whether the settings can be used all the same. */
  readonly isWarning: boolean;
}

/**
 * Says that a name is nobody's.
 *
 * @param item The name.
 * @param what What it should be a name of.
 * @param known The names that there are.
 * @param guesses Whether the one that may be meant is looked for, which takes its time among thousands.
 */
export function lost(item: string, what: string, known: readonly string[], guesses = true): string {
  const near = guesses ? nearest(item, known) : undefined;
  const hint = near !== undefined
    ? `did you mean ${describeFound(near)}?`
    : known.length === 0
    ? "there is none"
    : `there is ${known.slice(0, 10).map(printable).join(", ")}${known.length > 10 ? ", …" : ""}`;
  return `found ${describeFound(item)}, which is no ${what}; ${hint}`;
}
