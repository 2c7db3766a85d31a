/**
 * What is wrong with something in a rule.
 *
 * @module
 */

/**
 * Makes the error for something that is not as it should be: `found "10.0.0.1/8", expected "10.0.0.0/8"`. Whoever knows
 * where it stands puts that before it.
 *
 * @param found What there is.
 * @param expected What there should be, without the word.
 */
export function mistake(found: unknown, expected: string): RangeError {
  return new RangeError(`found ${describe(found)}, expected ${expected}`);
}

/** Text is quoted, cut after 60 characters, and without what a terminal would act upon. */
function describe(found: unknown): string {
  if (typeof found === "string") {
    const characters = [...found];
    const text = characters.length > 60 ? `${characters.slice(0, 60).join("")}…` : found;
    return `"${text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`)}"`;
  }
  if (Array.isArray(found)) return found.length === 0 ? "an empty list" : "a list";
  if (found === undefined) return "nothing";
  return typeof found === "object" && found !== null ? "an object" : `${String(found)}`;
}
