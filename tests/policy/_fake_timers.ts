/** Timers that go when they are told to. */

import type { Timers } from "../../src/policy/pacer.ts";

interface Interval {
  readonly length: number;
  readonly callback: () => void;
  next: number;
}

/** Timers whose time is what a test says. */
export class FakeTimers implements Timers {
  /** How much later than they should intervals call back, in milliseconds. */
  late: number;
  readonly #intervals = new Set<Interval>();
  #now = 0;

  constructor(late = 0) {
    this.late = late;
  }

  /** How many timers run. */
  get running(): number {
    return this.#intervals.size;
  }

  now(): number {
    return this.#now;
  }

  every(length: number, callback: () => void): () => void {
    const interval = { length, callback, next: this.#now + length + this.late };
    this.#intervals.add(interval);
    return () => this.#intervals.delete(interval);
  }

  /** Lets time go by, and calls back what is due meanwhile. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const [first] = [...this.#intervals].sort((a, b) => a.next - b.next);
      if (first === undefined || first.next > end) break;
      this.#now = first.next;
      first.next += first.length + this.late;
      first.callback();
    }
    this.#now = end;
  }
}
