/**
 * Counts in memory.
 *
 * `rate-limiter-flexible` has a store in memory, too. Its answers are promises, which a session should not have to wait
 * for; it sets a timer for each key, and one for more than 24 days fires at once, so that it forgets the quota of a
 * month as soon as it counts; and it is not bounded.
 *
 * @module
 */

import { CountTable, type SavedCount } from "./count_table.ts";
import type { Counters } from "./counters.ts";
import type { Rate } from "./limit.ts";

/** How counts are kept in memory. */
export interface MemoryCountersOptions {
  /**
   * How many counts are kept at most of the keys that begin alike, up to the first colon: with many addresses in one
   * limit a client cannot push out what another limit counts.
   *
   * @default {100_000}
   */
  readonly maxKeys?: number | undefined;
  /**
   * The time, in milliseconds since the epoch.
   *
   * @default {Date.now}
   */
  readonly now?: (() => number) | undefined;
}

/** More beginnings than this share a table. A limit has one, and so has the login guard. */
const MAX_TABLES = 1000;

/** Counts in memory: at once, bounded, gone with the process. */
export class MemoryCounters implements Counters {
  readonly #tables = new Map<string, CountTable>();
  readonly #maxKeys: number;
  readonly #now: () => number;

  /** Makes counters that have counted nothing yet. */
  constructor(options: MemoryCountersOptions = {}) {
    this.#maxKeys = options.maxKeys ?? 100_000;
    this.#now = options.now ?? Date.now;
  }

  /** How many counts there are, with some that have expired. */
  get size(): number {
    let size = 0;
    for (const table of this.#tables.values()) size += table.size;
    return size;
  }

  /** Counts one event of a rate. */
  hit(key: string, rate: Rate): boolean {
    return this.add(key, 1, this.#now() + rate.per) <= rate.count;
  }

  /** Adds to a total. */
  add(key: string, amount: number, until: number): number {
    return this.#tableOf(key).add(key, amount, until);
  }

  /** Says what a count is. */
  get(key: string): number {
    return this.#tableOf(key).get(key);
  }

  /** Forgets a count. */
  delete(key: string): void {
    this.#tableOf(key).delete(key);
  }

  /** All that is counted. */
  *saved(): Generator<SavedCount> {
    for (const table of this.#tables.values()) yield* table.saved();
  }

  /** Does nothing. */
  close(): Promise<void> {
    return Promise.resolve();
  }

  #tableOf(key: string): CountTable {
    const colon = key.indexOf(":");
    let name = colon < 0 ? "" : key.slice(0, colon);
    let table = this.#tables.get(name);
    if (table === undefined && this.#tables.size >= MAX_TABLES) table = this.#tables.get(name = "");
    if (table === undefined) this.#tables.set(name, table = new CountTable(this.#maxKeys, this.#now));
    return table;
  }
}
