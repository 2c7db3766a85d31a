/**
 * Where limits count what may outlive a session.
 *
 * @module
 */

import type { Rate } from "./limit.ts";

/**
 * Counts by key: each is that of a rate or of a total. What stands before the first colon is the name of the limit, or
 * of whatever else counts; `counterKey` makes such keys. An answer is a promise where the counts are kept
 * elsewhere, and none where they are at hand.
 */
export interface Counters {
  /**
   * Counts one event of a rate.
   *
   * @param key What it is an event of. One key has one rate.
   * @param rate How many events are within it: the time runs from the first event, and then anew.
   * @returns Whether it is within the rate.
   * @throws {NetError} `not-allowed`, if the store cannot be reached and is not to be done without.
   */
  hit(key: string, rate: Rate): boolean | Promise<boolean>;
  /**
   * Adds to a total.
   *
   * @param key What it is a total of.
   * @param amount How much, a whole number; 0 says what the total is.
   * @param until When the total is forgotten, in milliseconds since the epoch. What the first of its additions says holds.
   * @returns The total now.
   * @throws {NetError} `not-allowed`, if the store cannot be reached and is not to be done without.
   */
  add(key: string, amount: number, until: number): number | Promise<number>;
  /**
   * Says what a total is, 0 if there is none.
   *
   * @throws {NetError} `not-allowed`, if the store cannot be reached and is not to be done without.
   */
  get(key: string): number | Promise<number>;
  /**
   * Forgets the rate or the total of a key.
   *
   * @throws {NetError} `not-allowed`, if the store cannot be reached and is not to be done without.
   */
  delete(key: string): void | Promise<void>;
  /** Saves what must outlive the process, and lets go of the store. Idempotent. */
  close(): Promise<void>;
}
