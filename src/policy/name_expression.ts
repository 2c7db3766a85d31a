/**
 * Regular expressions for names.
 *
 * @module
 */

import { mistake } from "./mistake.ts";

/** Names on the wire have no more bytes. */
const LONGEST_NAME = 255;

/**
 * Reads a regular expression between slashes. Case never matters. Clients choose the names that it is tried on, so
 * what takes a backtracking matcher exponential time is refused: repetitions within a repetition, and backreferences.
 *
 * @param text What the operator wrote: `/^ads?\d*\./`.
 * @returns Whether a name, in the form that `comparableName` gives it, matches. None longer than 255 characters does.
 * @throws {RangeError} `found …, expected …`.
 */
export function parseNameExpression(text: string): (name: string) => boolean {
  const source = /^\/(.+)\/i?$/s.exec(text)?.[1];
  if (source === undefined) throw mistake(text, "a regular expression between two slashes");
  if (!/^[ -~]*$/.test(source)) throw mistake(text, "ASCII: names are compared in their ASCII form (xn--…)");
  let expression: RegExp;
  try {
    expression = new RegExp(source, "i");
  } catch {
    throw mistake(text, "a regular expression that JavaScript can read");
  }
  if (/\\[1-9k]/.test(source.replaceAll("\\\\", ""))) {
    throw mistake(text, "a regular expression without backreferences");
  }
  if (repeatsRepetition(source)) {
    throw mistake(text, "no repetition within a repetition, such as (a+)+: a client could make it take forever");
  }
  return (name) => name.length <= LONGEST_NAME && expression.test(name);
}

/** Whether something unbounded is repeated without bound. */
function repeatsRepetition(source: string): boolean {
  const bare = source.replaceAll(/\\./g, "e").replaceAll(/\[[^\]]*\]/g, "c");
  const groups = [false]; // whether each open group holds a repetition
  for (let i = 0; i < bare.length; i++) {
    if (bare[i] === "(") groups.push(false);
    const isGroup = bare[i] === ")" && groups.length > 1;
    const holds = isGroup ? groups.pop()! : false;
    const isRepeated = /^(?:[*+]|\{\d*,?\d*\})/.test(bare.slice(i + 1));
    if (holds && isRepeated) return true;
    if (holds || isRepeated) groups[groups.length - 1] = true;
  }
  return false;
}
