/**
 * TOML.
 *
 * @module
 */

import { parse, TomlError } from "smol-toml";
import { type Parsed, TextSyntaxError } from "./parsed.ts";

/**
 * Reads TOML. The parser does not tell where values stand.
 *
 * @param text The text.
 * @throws {TextSyntaxError} At the first mistake.
 */
export function parseToml(text: string): Parsed {
  try {
    return { value: parse(text, { maxDepth: 100 }), positionOf: () => undefined };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const { line, column } = error;
    throw new TextSyntaxError([{ line, column, message: wordsFor(error.message) }]);
  }
}

/** What the parser says, in our words. What it adds to its first line is the text around, which may be a secret. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/redefine/, "found a key or table a second time, expected each once"],
  [/nested/, "found values that are nested too deep"],
  [/end-of-line/, "found more on the line, expected one KEY = VALUE on each"],
  [/unfinished string/, "found no end of the text in quotes"],
  [
    /escape|unicode/,
    "found an escape that TOML has not, expected \\\\ for a backslash, or single quotes around the text",
  ],
  [/control characters/, "found a control character, expected an escape such as \\t"],
  [/comma or end/, "found no comma between two values, or no end of them"],
  [/unfinished (array|table)|table array/, "found no end of the list or table"],
  [/key/, "found something that is no key, expected KEY = VALUE"],
  [/date/, "found something like a date, expected text in quotes"],
  [/numeric|number|zero|underscore|integer/, "found something that is no number; text needs quotes"],
];

function wordsFor(message: string): string {
  const first = message.split("\n")[0]!;
  return WORDS.find(([pattern]) => pattern.test(first))?.[1] ??
    "found something that is no value, expected text in quotes, a number, true, false, a list or a table";
}
