/**
 * Regular expressions for names.
 *
 * @module
 */

import { Automaton } from "./expression_automaton.ts";
import { programOf } from "./expression_program.ts";
import { parseExpression } from "./expression_syntax.ts";
import { mistake } from "./mistake.ts";

/** Enough for any pattern of names; it bounds what a step of a search costs. */
const MOST_PARTS = 1000;

/**
 * Reads a regular expression between slashes, as JavaScript writes them. Case never matters. Clients choose the names
 * that it is tried on: it is matched in linear time, so lookarounds and backreferences are refused.
 *
 * @param text What the operator wrote: `/^ads?\d*\./`.
 * @returns Whether some part of a name, in the form that `comparableName` gives it, matches.
 * @throws {RangeError} `found …, expected …`.
 */
export function parseNameExpression(text: string): (name: string) => boolean {
  const source = /^\/(.+)\/i?$/s.exec(text)?.[1];
  if (source === undefined) throw mistake(text, "a regular expression between two slashes");
  if (!/^[ -~]*$/.test(source)) throw mistake(text, "ASCII: names are compared in their ASCII form (xn--…)");
  let automaton: Automaton | undefined;
  try {
    new RegExp(source, "i");
    const program = programOf(parseExpression(source), MOST_PARTS);
    if (program !== undefined) automaton = new Automaton(program);
  } catch (error) {
    if (error instanceof RangeError) throw mistake(text, `a regular expression without ${error.message}`);
    throw mistake(text, "a regular expression that JavaScript can read");
  }
  if (automaton === undefined) throw mistake(text, "a shorter regular expression, or fewer repetitions");
  return (name) => automaton.test(name);
}
