/**
 * A line as it is typed, key by key.
 *
 * @module
 */

/** How a line ended: with Enter, with Ctrl+C, or with Ctrl+D and nothing typed. */
export type LineEnd = "entered" | "interrupted" | "closed";

/** What a terminal sends for keys that are no text. Enter, Ctrl+C and Ctrl+D end even a sequence cut short. */
const ESCAPE_SEQUENCE =
  // deno-lint-ignore no-control-regex
  /^\x1b(?:\[[\x20-\x3f]*(?:[\x40-\x7e]|(?=[^\x20-\x7e]))|O?(?:[^[O\r\n\x03\x04]|(?=[\r\n\x03\x04])))/;

/** The most that is kept, in UTF-16 units: more is no password, but something sent here by mistake. */
export const LONGEST_LINE = 4096;

/** Takes keys until a line is complete. What comes after its end waits for the next line. */
export class TypedLine {
  #pending = "";
  #text = "";

  /** What was typed so far, and after the end of the line all of it. */
  get text(): string {
    return this.#text;
  }

  /** Begins the next line. */
  clear(): void {
    this.#text = "";
  }

  /**
   * Takes keys.
   *
   * @param keys What the terminal sent; may be empty, to look at what waits.
   * @returns How the line ended, or `undefined` if it did not yet.
   */
  take(keys: string): LineEnd | undefined {
    this.#pending += keys;
    while (this.#pending !== "") {
      const [escape] = ESCAPE_SEQUENCE.exec(this.#pending) ?? [];
      if (escape === undefined && this.#pending.startsWith("\x1b")) return undefined; // the rest is on its way
      const key = escape ?? String.fromCodePoint(this.#pending.codePointAt(0)!);
      this.#pending = this.#pending.slice(key.length);
      if (key === "\r" && this.#pending.startsWith("\n")) this.#pending = this.#pending.slice(1);
      const end = this.#press(key);
      if (end !== undefined) return end;
    }
    return undefined;
  }

  #press(key: string): LineEnd | undefined {
    switch (key) {
      case "\r":
      case "\n":
        return "entered";
      case "\x03": // Ctrl+C
        return "interrupted";
      case "\x04": // Ctrl+D
        return this.#text === "" ? "closed" : undefined;
      case "\x7f":
      case "\b":
        this.#text = Array.from(this.#text).slice(0, -1).join("");
        return undefined;
      case "\x15": // Ctrl+U
        this.#text = "";
        return undefined;
      default:
        // Other control keys are slips, except for a tab in what was pasted.
        if ((key >= " " || key === "\t") && this.#text.length < LONGEST_LINE) this.#text += key;
        return undefined;
    }
  }
}
