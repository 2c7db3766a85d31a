/**
 * The part of JavaScript's regular expressions that can be matched in linear time.
 *
 * @module
 */

/** What an expression is made of. */
export type Expression =
  /** One of these characters: 1 at its code, at 128 for all that are not ASCII. */
  | { readonly is: "set"; readonly set: Uint8Array }
  /** A place: the beginning, the end, where a word begins or ends, where it does not. */
  | { readonly is: "place"; readonly place: "^" | "$" | "b" | "B" }
  /** All of these, in order. */
  | { readonly is: "sequence"; readonly parts: readonly Expression[] }
  /** One of these. */
  | { readonly is: "choice"; readonly parts: readonly Expression[] }
  /** This, so many times. */
  | { readonly is: "repeat"; readonly part: Expression; readonly least: number; readonly most: number };

const SYMBOLS = 129;
const CLASSES: Readonly<Record<string, RegExp>> = { d: /\d/, D: /\D/, w: /\w/, W: /\W/, s: /\s/, S: /\S/ };

/** Letters, digits and `_`. */
export const WORD: Uint8Array = setOf((text) => /\w/.test(text));

/**
 * Reads an expression.
 *
 * @param source What stands between the slashes; something that `RegExp` accepts.
 * @returns What it is made of; letters stand for both cases.
 * @throws {RangeError} The part that cannot be matched in linear time, or that is no part of names.
 */
export function parseExpression(source: string): Expression {
  return new Parser(source).choice();
}

class Parser {
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
  }

  choice(): Expression {
    const parts = [this.#sequence()];
    while (this.#skip("|")) parts.push(this.#sequence());
    return parts.length === 1 ? parts[0]! : { is: "choice", parts };
  }

  #sequence(): Expression {
    const parts: Expression[] = [];
    while (this.#at < this.#source.length && !/[|)]/.test(this.#source[this.#at]!)) parts.push(this.#repeated());
    return { is: "sequence", parts };
  }

  #repeated(): Expression {
    const part = this.#single();
    const found = /^(?:[*+?]|\{(\d+)(,(\d*))?\})\??/.exec(this.#source.slice(this.#at));
    if (found === null) return part;
    this.#at += found[0].length;
    const [text, least, isRange, most] = found;
    if (least === undefined) {
      return { is: "repeat", part, least: text[0] === "+" ? 1 : 0, most: text[0] === "?" ? 1 : Infinity };
    }
    const last = isRange === undefined ? Number(least) : most === "" ? Infinity : Number(most);
    return { is: "repeat", part, least: Number(least), most: last };
  }

  #single(): Expression {
    const character = this.#source[this.#at++]!;
    if (character === "(") return this.#group();
    if (character === "[") return this.#class();
    if (character === "^" || character === "$") return { is: "place", place: character };
    if (character === ".") return { is: "set", set: setOf(() => true) };
    if (character !== "\\") return { is: "set", set: setOf((text) => text === character) };
    const escaped = this.#source[this.#at]!;
    if (escaped === "b" || escaped === "B") {
      this.#at++;
      return { is: "place", place: escaped };
    }
    return { is: "set", set: this.#escape() };
  }

  #group(): Expression {
    if (this.#source[this.#at] === "?") {
      const start = /^\?(?::|<[A-Za-z]\w*>)/.exec(this.#source.slice(this.#at))?.[0];
      if (start === undefined) throw new RangeError(`(${this.#source.slice(this.#at, this.#at + 2)}`);
      this.#at += start.length;
    }
    const inner = this.choice();
    this.#at++; // the parenthesis
    return inner;
  }

  #class(): Expression {
    const isNegated = this.#skip("^");
    const set = new Uint8Array(SYMBOLS);
    while (!this.#skip("]")) {
      const first = this.#member();
      const isRange = this.#source[this.#at] === "-" && this.#source[this.#at + 1] !== "]";
      if (!isRange) add(set, first);
      else {
        this.#at++;
        const last = this.#member();
        const [from, to] = [first.indexOf(1), last.indexOf(1)];
        if (count(first) === 1 && count(last) === 1) set.fill(1, from, to + 1);
        else for (const part of [first, last, single("-")]) add(set, part); // [\w-.]
      }
    }
    for (let code = 0x41; code <= 0x5a; code++) set[code] = set[code + 0x20] = set[code]! | set[code + 0x20]!;
    return { is: "set", set: isNegated ? set.map((is) => 1 - is) : set };
  }

  /** One member of a class, in its own case. */
  #member(): Uint8Array {
    const character = this.#source[this.#at++]!;
    if (character !== "\\") return single(character);
    const escaped = this.#source[this.#at]!;
    return /[\w]/.test(escaped) ? this.#escape() : single(this.#source[this.#at++]!);
  }

  #escape(): Uint8Array {
    const escaped = this.#source[this.#at++]!;
    const kind = CLASSES[escaped];
    if (kind !== undefined) return setOf((text) => kind.test(text));
    if (/[A-Za-z0-9]/.test(escaped)) throw new RangeError(`\\${escaped}`);
    return single(escaped);
  }

  #skip(character: string): boolean {
    if (this.#source[this.#at] !== character) return false;
    this.#at++;
    return true;
  }
}

/** Characters for which something holds in either case. What is not ASCII is no letter, digit or space here. */
function setOf(holds: (text: string) => boolean): Uint8Array {
  return Uint8Array.from({ length: SYMBOLS }, (_, code) => {
    const text = code === 128 ? "\ufffd" : String.fromCharCode(code);
    return holds(text) || holds(text.toLowerCase()) || holds(text.toUpperCase()) ? 1 : 0;
  });
}

function single(character: string): Uint8Array {
  return new Uint8Array(SYMBOLS).fill(1, character.charCodeAt(0), character.charCodeAt(0) + 1);
}

function add(set: Uint8Array, other: Uint8Array): void {
  other.forEach((is, code) => set[code] = set[code]! | is);
}

function count(set: Uint8Array): number {
  return set.reduce((sum, is) => sum + is, 0);
}
