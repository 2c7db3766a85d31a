/**
 * Regular expressions as states to go through (Thompson's construction).
 *
 * @module
 */

import type { Expression } from "./expression_syntax.ts";

/** What a state does. `next` and `others` are states. */
export type State =
  /** Takes one of these characters. */
  | { readonly is: "set"; readonly set: Uint8Array; readonly next: number }
  /** Goes on where a place is. */
  | { readonly is: "place"; readonly place: "^" | "$" | "b" | "B"; readonly next: number }
  /** Goes on in several ways. */
  | { readonly is: "fork"; readonly others: number[] }
  /** The end: it matches. */
  | { readonly is: "match" };

/** An expression as states. */
export interface Program {
  /** The states. */
  readonly states: readonly State[];
  /** The first of them. */
  readonly start: number;
}

/**
 * Makes states of an expression, from its end to its beginning.
 *
 * @param expression The expression.
 * @param most How many parts there may be, counted as often as they are repeated.
 * @returns The states, or `undefined` if there were more.
 */
export function programOf(expression: Expression, most: number): Program | undefined {
  const states: State[] = [{ is: "match" }];
  let parts = 0;
  const push = (state: State): number => states.push(state) - 1;
  const build = (part: Expression, next: number): number => {
    if (++parts > most) throw new TooMany(); // also where empty parts are repeated, which have no states
    switch (part.is) {
      case "set":
        return push({ is: "set", set: part.set, next });
      case "place":
        return push({ is: "place", place: part.place, next });
      case "sequence":
        return part.parts.reduceRight((next, part) => build(part, next), next);
      case "choice":
        return push({ is: "fork", others: part.parts.map((part) => build(part, next)) });
      case "repeat":
        return repeat(part, next);
    }
  };
  const repeat = ({ part, least, most }: Expression & { is: "repeat" }, next: number): number => {
    let first = next;
    if (most === Infinity) {
      const others = [next];
      first = push({ is: "fork", others });
      others.push(build(part, first));
    } else for (let i = least; i < most; i++) first = push({ is: "fork", others: [next, build(part, first)] });
    for (let i = 0; i < least; i++) first = build(part, first);
    return first;
  };
  try {
    const start = build(expression, 0);
    return { states, start };
  } catch (error) {
    if (error instanceof TooMany) return undefined;
    throw error;
  }
}

class TooMany extends Error {}
