/** A stream that always has bytes, as a relay would carry it. */

import type { Pace } from "../../src/runtime/runtime.ts";

/** Writes as fast as a pace lets it, in chunks of a size. */
export class Stream {
  /** How many bytes went. */
  sent = 0;
  /** Whether it has no more bytes. */
  isStopped = false;
  readonly #pace: Pace;
  readonly #chunk: number;
  readonly #up: boolean;
  #rest = 0;

  constructor(pace: Pace, chunk: number, up = true) {
    this.#pace = pace;
    this.#chunk = chunk;
    this.#up = up;
  }

  /** Goes on until it has to wait, and then by itself. */
  go(): void {
    // Nothing is endless, not even what is free.
    for (let left = 100_000; left > 0 && !this.isStopped; left--) {
      if (this.#rest === 0) this.#rest = this.#chunk;
      const leave = this.#pace.take(this.#rest, this.#up);
      this.#rest -= leave;
      this.sent += leave;
      if (leave === 0) return this.#pace.wait(this.#up, () => this.go());
    }
  }
}
