/**
 * Text that was read: the value in it, and where its parts stand.
 *
 * @module
 */

/** A place in a text. */
export interface Position {
  /** The line, from 1. */
  readonly line: number;
  /** The column in characters, from 1. */
  readonly column: number;
}

/** What a parser made of a text. */
export interface Parsed {
  /** The value. */
  readonly value: unknown;
  /**
   * Where the value at a path stands: its key, or the item of a list. Of what is not there, where the nearest thing
   * around it stands.
   *
   * @param path Keys and indices.
   * @returns `undefined` if the format does not tell, or for all of the text.
   */
  positionOf(path: readonly PropertyKey[]): Position | undefined;
}

/** Something in a text that cannot be read. */
export interface TextMistake extends Position {
  /** What was found and what was expected; no more than a character of the text, which may be a password's. */
  readonly message: string;
}

/** Text that cannot be read. */
export class TextSyntaxError extends SyntaxError {
  override readonly name = "TextSyntaxError";
  /** What is wrong, at least one mistake, in the order of the text. */
  readonly mistakes: readonly TextMistake[];

  /** @param mistakes What is wrong, at least one mistake. */
  constructor(mistakes: readonly TextMistake[]) {
    super(mistakes.map(({ line, column, message }) => `${line}:${column}: ${message}`).join("\n"));
    this.mistakes = mistakes;
  }
}

/**
 * Makes a finder of places in a text, for many of them.
 *
 * @param text The text.
 * @returns Finds the place of an offset in UTF-16 units.
 */
export function positionsIn(text: string): (offset: number) => Position {
  const starts = [0];
  for (const { index, 0: end } of text.matchAll(/\r\n|\r|\n/g)) starts.push(index + end.length);
  // All may stand on one line, and thousands of places be asked for.
  const hasPairs = /[\ud800-\udfff]/.test(text);
  return (offset) => {
    let [low, high] = [0, starts.length - 1];
    while (low < high) {
      const middle = low + high + 1 >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    const start = starts[low]!;
    return { line: low + 1, column: (hasPairs ? [...text.slice(start, offset)].length : offset - start) + 1 };
  };
}

/**
 * Finds a place in a text.
 *
 * @param text The text.
 * @param offset The place, in UTF-16 units.
 */
export function positionAt(text: string, offset: number): Position {
  return positionsIn(text)(offset);
}

/**
 * Describes what stands at a place, by a character at most.
 *
 * @param text The text.
 * @param offset The place, in UTF-16 units.
 */
export function characterAt(text: string, offset: number): string {
  const character = text.slice(offset, offset + 1);
  if (character === "") return "the end of the file";
  if (character === '"') return "a quotation mark";
  if (/[\r\n]/.test(character)) return "the end of the line";
  return /[!-~]/.test(character) ? `"${character}"` : "a character that cannot stand here";
}
