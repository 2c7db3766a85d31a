/**
 * Regular expressions matched in linear time, whatever the text.
 *
 * @module
 */

import type { Program } from "./expression_program.ts";
import { WORD } from "./expression_syntax.ts";

/** All states that a program can be in after some text: a state of its own, made when first met. */
interface Place {
  /** States of the program, ascending. */
  readonly states: readonly number[];
  /** What was before: nothing, a letter, digit or `_`, or something else. */
  readonly after: "nothing" | "word" | "other";
  /** Where each kind of characters leads: `true` if it matches by then. */
  readonly next: (Place | boolean | undefined)[];
}

const OTHER = 128;
const END = 129;
/** So many places are remembered; a client that finds ways to more makes them be found again. */
const MOST_PLACES = 256;

/** Searches texts for what a program matches, one step for each character. */
export class Automaton {
  readonly #program: Program;
  readonly #places = new Map<string, Place>();
  /** The kind of each character, and of the end: those of a kind are in the same sets. */
  readonly #kinds: Uint8Array;
  /** Whether a match may begin after the first character. */
  readonly #beginsLater: boolean;
  #first: Place;

  /** @param program What to search for. */
  constructor(program: Program) {
    this.#program = program;
    this.#kinds = kindsOf(program);
    this.#beginsLater = beginsLater(program);
    this.#first = this.#place([], "nothing");
  }

  /** Whether some part of a text matches. */
  test(text: string): boolean {
    let place = this.#first;
    for (let i = 0; i <= text.length; i++) {
      const symbol = i === text.length ? END : Math.min(OTHER, text.charCodeAt(i));
      const kind = this.#kinds[symbol]!;
      let next = place.next[kind];
      if (next === undefined) next = place.next[kind] = this.#step(place, symbol);
      if (typeof next === "boolean") return next;
      place = next;
    }
    return false;
  }

  #step(place: Place, symbol: number): Place | boolean {
    const { states, start } = this.#program;
    const isWord = symbol !== END && WORD[symbol] === 1;
    const holds = {
      "^": place.after === "nothing",
      "$": symbol === END,
      "b": (place.after === "word") !== isWord,
      "B": (place.after === "word") === isWord,
    };
    const seen = new Set<number>([...place.states, start]); // a match may begin anywhere
    const reached = new Set<number>();
    for (const at of seen) { // what is added is visited, too
      const state = states[at]!;
      if (state.is === "match") return true;
      if (state.is === "fork") { for (const other of state.others) seen.add(other); }
      else if (state.is === "place") {
        if (holds[state.place]) seen.add(state.next);
      } else if (symbol !== END && state.set[symbol] === 1) reached.add(state.next);
    }
    if (symbol === END || reached.size === 0 && !this.#beginsLater) return false;
    return this.#place([...reached].sort((one, other) => one - other), isWord ? "word" : "other");
  }

  #place(states: readonly number[], after: Place["after"]): Place {
    const key = `${after} ${states}`;
    let place = this.#places.get(key);
    if (place !== undefined) return place;
    if (this.#places.size >= MOST_PLACES) {
      this.#places.clear();
      this.#first = { states: [], after: "nothing", next: [] }; // what leads to old places goes with them
    }
    place = { states, after, next: [] };
    this.#places.set(key, place);
    return place;
  }
}

function beginsLater({ states, start }: Program): boolean {
  const seen = new Set([start]);
  for (const at of seen) { // what is added is visited, too
    const state = states[at]!;
    if (state.is === "set" || state.is === "match") return true;
    if (state.is === "fork") { for (const other of state.others) seen.add(other); }
    else if (state.place !== "^") seen.add(state.next);
  }
  return false;
}

/** Numbers kinds from 0 as they are met. */
function kindsOf({ states }: Program): Uint8Array {
  const sets = new Set(states.flatMap((state) => state.is === "set" ? [state.set] : []));
  const numbers = new Map<string, number>();
  return Uint8Array.from({ length: END + 1 }, (_, symbol) => {
    const key = symbol === END ? "end" : [WORD, ...sets].map((set) => set[symbol]).join("");
    if (!numbers.has(key)) numbers.set(key, numbers.size);
    return numbers.get(key)!;
  });
}
