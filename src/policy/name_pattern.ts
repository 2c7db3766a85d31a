/**
 * Names in a rule.
 *
 * @module
 */

import { toAscii } from "../net/host_name.ts";
import { asAddressSet, looksLikeAddress } from "./address_item.ts";
import { mistake } from "./mistake.ts";
import { parseNameExpression } from "./name_expression.ts";

/** An item of `to` that is about names. */
export interface NamePattern {
  /** What it is about. */
  readonly kind: "name";
  /** The item as it was written. */
  readonly text: string;
  /** The one name that it matches, if it is just one. */
  readonly exact?: string | undefined;
  /** The name below which all that it matches lies (and maybe that name itself), if there is one. */
  readonly under?: string | undefined;
  /**
   * Whether a name matches.
   *
   * @param name A name as `comparableName` gives it.
   */
  matches(name: string): boolean;
}

const EXPECTED = 'a name such as "example.com", ".example.com", "*.cdn.example.*" or "/^ads?\\d*\\./"';

/**
 * Reads a name (`example.com`), a name and all below it (`.example.com`), a glob (`*.cdn.example.*`; `*` is any
 * characters, also none and dots) or a regular expression between slashes. Case and a dot at the end do not matter.
 * Names of other scripts may be written as they are or in ASCII (`xn--…`); they are compared in ASCII.
 *
 * @param text What the operator wrote.
 * @returns What it matches.
 * @throws {RangeError} `found …, expected …`.
 */
export function parseNamePattern(text: string): NamePattern {
  if (typeof text !== "string" || text === "") throw mistake(text, EXPECTED);
  if (text.startsWith("/")) return { kind: "name", text, matches: parseNameExpression(text) };
  if (/^[\d*]+(?:\.[\d*]+)+\.?$/.test(text) && /\d/.test(text)) throw mistake(text, "a block such as 10.0.0.0/24");
  if (asAddressSet(text) !== undefined || looksLikeAddress(text)) throw mistake(text, EXPECTED);
  const name = plainPattern(text);
  if (name.includes("*")) return { kind: "name", text, under: underOf(name), matches: glob(name) };
  if (!name.startsWith(".")) return { kind: "name", text, exact: name, matches: (other) => other === name };
  const under = name.slice(1);
  return { kind: "name", text, under, matches: (other) => other.endsWith(name) || other === under };
}

/** Label by label, since stars have no place in what is turned into ASCII. */
function plainPattern(text: string): string {
  const bare = text.endsWith(".") ? text.slice(0, -1) : text;
  const labels = bare.split(/[.\u3002\uff0e\uff61]/).map((label) => {
    const isStarred = label.includes("*");
    const plain = isStarred ? label.toLowerCase() : toAscii(label);
    if (plain === undefined || !/^[!-~]*$/.test(plain) || plain.length > 63) {
      throw mistake(text, isStarred ? "ASCII alone around *" : EXPECTED);
    }
    return plain;
  });
  const first = labels[0] === "" ? 1 : 0; // .example.com
  if (labels.length <= first || labels.slice(first).includes("")) throw mistake(text, EXPECTED);
  const pattern = labels.join(".");
  if (pattern.length > 255 || /[\\"'`,;<>(){}|^%?#@&=+$!~[\]]/.test(pattern)) throw mistake(text, EXPECTED);
  return pattern;
}

/** `*.example.com` and `a*.example.com` match names below example.com alone. */
function underOf(pattern: string): string | undefined {
  const dot = pattern.indexOf(".", pattern.lastIndexOf("*"));
  return dot < 0 ? undefined : pattern.slice(dot + 1);
}

/** The parts between the stars must follow each other; the first place where each is found is as good as any. */
function glob(pattern: string): (name: string) => boolean {
  const parts = pattern.split("*");
  const [head, tail] = [parts[0]!, parts.at(-1)!];
  const middle = parts.slice(1, -1).filter((part) => part !== "");
  const least = parts.reduce((sum, part) => sum + part.length, 0);
  return (name) => {
    if (name.length < least || !name.startsWith(head) || !name.endsWith(tail)) return false;
    let at = head.length;
    for (const part of middle) {
      const found = name.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return at <= name.length - tail.length;
  };
}
