/**
 * Counts that expire, and are bounded.
 *
 * @module
 */

/** A count as it is saved: its key, its value, and when it is forgotten in milliseconds since the epoch. */
export type SavedCount = readonly [key: string, value: number, until: number];

interface Count {
  value: number;
  readonly until: number;
}

/** Fewer counts than this are not worth a look for what has expired. */
const SWEEP_AT_LEAST = 1024;

/**
 * Counts by key. It needs no timers: what has expired is dropped when it is asked for, and all of it each time that
 * the table might have doubled. Over its bound it forgets what was not used for the longest time.
 */
export class CountTable {
  readonly #counts = new Map<string, Count>();
  readonly #max: number;
  readonly #now: () => number;
  #newUntilSweep = SWEEP_AT_LEAST;

  /**
   * Makes an empty table.
   *
   * @param max How many counts it holds at most.
   * @param now The time, in milliseconds since the epoch.
   */
  constructor(max: number, now: () => number) {
    this.#max = max;
    this.#now = now;
  }

  /** How many counts it holds, with expired ones that it has not come across yet. */
  get size(): number {
    return this.#counts.size;
  }

  /**
   * Adds to a count.
   *
   * @param key Which one.
   * @param amount How much.
   * @param until When it is forgotten, if this is its first addition.
   * @returns The count now.
   */
  add(key: string, amount: number, until: number): number {
    const now = this.#now();
    const count = this.#use(key, now);
    if (count !== undefined) return count.value += amount;
    if (until <= now || amount === 0) return amount;
    this.#makeRoom(now);
    this.#counts.set(key, { value: amount, until });
    return amount;
  }

  /** The count, 0 if there is none. */
  get(key: string): number {
    return this.#use(key, this.#now())?.value ?? 0;
  }

  /** Forgets a count. */
  delete(key: string): void {
    this.#counts.delete(key);
  }

  /** All that has not expired. */
  *saved(): Generator<SavedCount> {
    const now = this.#now();
    for (const [key, { value, until }] of this.#counts) if (until > now) yield [key, value, until];
  }

  /** The count, which becomes the last to be forgotten. */
  #use(key: string, now: number): Count | undefined {
    const count = this.#counts.get(key);
    if (count === undefined) return undefined;
    this.#counts.delete(key);
    if (count.until <= now) return undefined;
    this.#counts.set(key, count); // a Map keeps its keys in the order they were set
    return count;
  }

  #makeRoom(now: number): void {
    if (--this.#newUntilSweep <= 0) {
      for (const [key, { until }] of this.#counts) if (until <= now) this.#counts.delete(key);
      this.#newUntilSweep = Math.max(SWEEP_AT_LEAST, this.#counts.size);
    }
    if (this.#counts.size < this.#max) return;
    for (const oldest of this.#counts.keys()) {
      this.#counts.delete(oldest);
      return;
    }
  }
}
