/**
 * JSON, with mistakes told by line and column: the runtimes' own parsers tell them each in its way, or not at all.
 *
 * @module
 */

/** Text that cannot be read, and where. */
export class TextSyntaxError extends SyntaxError {
  override readonly name = "TextSyntaxError";
  /** The line, from 1. */
  readonly line: number;
  /** The column in characters, from 1. */
  readonly column: number;

  /**
   * @param message What was found and what was expected.
   * @param text The whole text.
   * @param offset Where the mistake is.
   */
  constructor(message: string, text: string, offset: number) {
    super(message);
    const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
    this.line = lines.length;
    this.column = [...lines.at(-1)!].length + 1;
  }
}

/**
 * Reads JSON. A key that an object holds twice is a mistake: one of the two values would be lost.
 *
 * @param text The text.
 * @returns The value.
 * @throws {TextSyntaxError} At the first mistake.
 */
export function parseJson(text: string): unknown {
  new Scanner(text).scan();
  return JSON.parse(text);
}

const STRING = /"(?:[ !#-[\]-\u{10ffff}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])|(?:true|false|null)(?!\w)/y;
const SPACE = /[ \t\r\n]*/y;

/** Walks over a text and stops at the first mistake. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  scan(): void {
    this.#value();
    if (this.#at < this.#text.length) this.#fail("the end of the file");
  }

  #value(): void {
    this.#take(SPACE);
    const next = this.#text[this.#at];
    if (next === "{") this.#object();
    else if (next === "[") this.#array();
    else if (next === '"') this.#string("a value");
    else if (this.#take(SCALAR) === undefined) this.#fail("a value");
    this.#take(SPACE);
  }

  #object(): void {
    this.#at++;
    const keys = new Set<string>();
    this.#take(SPACE);
    if (this.#skip("}")) return;
    do {
      this.#take(SPACE);
      const start = this.#at;
      const key: string = JSON.parse(this.#string("a key in double quotes"));
      if (keys.has(key)) throw new TextSyntaxError(`found the key "${key}" a second time`, this.#text, start);
      keys.add(key);
      this.#take(SPACE);
      if (!this.#skip(":")) this.#fail('":"');
      this.#value();
    } while (this.#skip(","));
    if (!this.#skip("}")) this.#fail('"," or "}"');
  }

  #array(): void {
    this.#at++;
    this.#take(SPACE);
    if (this.#skip("]")) return;
    do this.#value(); while (this.#skip(","));
    if (!this.#skip("]")) this.#fail('"," or "]"');
  }

  #string(expected: string): string {
    if (this.#text[this.#at] !== '"') this.#fail(expected);
    return this.#take(STRING) ?? this.#fail("text that ends on its line and has only the escapes of JSON");
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #skip(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  /** Only a character of the text is shown, and none of what is in quotes: there may be a password. */
  #fail(expected: string): never {
    const character = this.#text.slice(this.#at, this.#at + 2);
    const found = character === ""
      ? "the end of the file"
      : character === "//" || character === "/*"
      ? "a comment, which JSON has not"
      : /^[!#-~]/.test(character)
      ? `"${character[0]}"`
      : character[0] === '"'
      ? "a quotation mark"
      : "a character that cannot stand here";
    throw new TextSyntaxError(`found ${found}, expected ${expected}`, this.#text, this.#at);
  }
}
