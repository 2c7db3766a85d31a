/**
 * One timer for all deadlines of a server.
 *
 * @module
 */

import { Roster, type Seat } from "./roster.ts";

/** Something with a deadline. */
export interface Timed {
  /**
   * Is told the time now and then.
   *
   * @param now Milliseconds, of `performance.now()`.
   */
  tick(now: number): void;
}

/**
 * Tells all that it holds the time, with one interval that runs only while it holds something. A session that sets and
 * clears deadlines a dozen times costs no timer; a deadline is late by one interval at most.
 */
export class Deadlines {
  readonly #all = new Roster<Timed>();
  readonly #interval: number;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param shortest The shortest timeout that will be asked for, in milliseconds. */
  constructor(shortest: number) {
    this.#interval = Math.min(500, Math.max(10, shortest / 10));
  }

  /** Begins to tell it the time. */
  add(timed: Timed): Seat<Timed> {
    this.#timer ??= setInterval(() => this.#tick(), this.#interval);
    return this.#all.add(timed);
  }

  /** Stops telling it. */
  delete(seat: Seat<Timed>): void {
    this.#all.delete(seat);
  }

  /** Stops the timer if it holds nothing, which it otherwise does by itself at the next tick. */
  rest(): void {
    if (this.#all.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    if (this.#all.size === 0) return this.rest();
    const now = performance.now();
    this.#all.forEach((timed) => timed.tick(now));
  }
}
