/**
 * Counts that survive a restart, in a file.
 *
 * @module
 */

import type { Counters } from "./counters.ts";
import type { Rate } from "./limit.ts";
import { MemoryCounters, type MemoryCountersOptions } from "./memory_counters.ts";
import { formatCounts, parseCounts } from "./saved_counts.ts";
import { type OnStoreState, reasonOf } from "./store_state.ts";

/** What a file of counts is read and written with. */
export interface TextFiles {
  /** The text of a file, or `undefined` if there is none. */
  read(path: string): Promise<string | undefined>;
  /** Puts a text in the place of a file, all of it or none, readable to its owner alone. */
  write(path: string, text: string): Promise<void>;
}

/** How counts are kept in a file. */
export interface FileCountersOptions extends MemoryCountersOptions {
  /** Reads and writes it. */
  readonly files: TextFiles;
  /** Is told when the file cannot be written, and when it can again. */
  readonly onState?: OnStoreState | undefined;
  /**
   * How long after a change it is written, in milliseconds; further changes go along. What a crash may lose.
   *
   * @default {5000}
   */
  readonly saveAfter?: number | undefined;
  /**
   * Calls back once after some milliseconds, and can be called off.
   *
   * @default {setTimeout}
   */
  readonly later?: ((callback: () => void, ms: number) => () => void) | undefined;
}

/**
 * Reads the counts of a file, and sees whether it can be written. From then on they are counted in memory and saved now
 * and then, except for those that would hardly outlive a save.
 *
 * @param path The file. One that does not exist is made.
 * @returns The counters. Closing them saves, and fails if that cannot be done.
 * @throws {Error} If it cannot be read or written, or does not hold counts.
 */
export async function fileCounters(path: string, options: FileCountersOptions): Promise<Counters> {
  const counters = new FileCounters(path, options);
  await counters.read();
  await counters.write();
  return counters;
}

class FileCounters implements Counters {
  readonly #path: string;
  readonly #counts: MemoryCounters;
  readonly #options: FileCountersOptions;
  readonly #saveAfter: number;
  #callOff: (() => void) | undefined;
  #saving: Promise<void> | undefined;
  #isChanged = false;
  #isAway = false;
  #closing: Promise<void> | undefined;

  constructor(path: string, options: FileCountersOptions) {
    this.#path = path;
    this.#options = options;
    this.#saveAfter = options.saveAfter ?? 5000;
    this.#counts = new MemoryCounters(options);
  }

  hit(key: string, rate: Rate): boolean {
    if (rate.per > this.#saveAfter) this.#changed();
    return this.#counts.hit(key, rate);
  }

  add(key: string, amount: number, until: number): number {
    if (amount !== 0) this.#changed();
    return this.#counts.add(key, amount, until);
  }

  get(key: string): number {
    return this.#counts.get(key);
  }

  delete(key: string): void {
    if (this.#counts.get(key) === 0) return;
    this.#changed();
    this.#counts.delete(key);
  }

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    this.#callOff?.();
    await this.#saving;
    if (!this.#isChanged) return;
    try {
      await this.write();
    } catch (error) {
      this.#tell(true, reasonOf(error));
      throw error;
    }
  }

  /** Takes over what the file holds. */
  async read(): Promise<void> {
    try {
      const text = await this.#options.files.read(this.#path);
      if (text === undefined) return;
      for (const [key, value, until] of parseCounts(text)) this.#counts.add(key, value, until);
    } catch (error) {
      throw new Error(`Cannot read counts from ${JSON.stringify(this.#path)}: ${reasonOf(error)}`);
    }
  }

  /** Puts what is counted in its place. */
  async write(): Promise<void> {
    this.#isChanged = false;
    try {
      await this.#options.files.write(this.#path, formatCounts(this.#lasting()));
    } catch (error) {
      this.#isChanged = true;
      throw new Error(`Cannot write counts to ${JSON.stringify(this.#path)}: ${reasonOf(error)}`);
    }
  }

  *#lasting(): ReturnType<MemoryCounters["saved"]> {
    const soon = (this.#options.now ?? Date.now)() + this.#saveAfter;
    for (const count of this.#counts.saved()) if (count[2] > soon) yield count;
  }

  #changed(): void {
    this.#isChanged = true;
    if (this.#callOff !== undefined || this.#saving !== undefined || this.#closing !== undefined) return;
    this.#callOff = (this.#options.later ?? later)(() => {
      this.#callOff = undefined;
      this.#saving = this.#save();
    }, this.#saveAfter);
  }

  async #save(): Promise<void> {
    try {
      await this.write();
      this.#tell(false, `${JSON.stringify(this.#path)} is written again`);
    } catch (error) {
      this.#tell(true, reasonOf(error));
    }
    this.#saving = undefined;
    if (this.#isChanged) this.#changed();
  }

  #tell(isAway: boolean, reason: string): void {
    if (isAway === this.#isAway) return;
    this.#isAway = isAway;
    this.#options.onState?.(isAway ? "away" : "back", reason);
  }
}

function later(callback: () => void, ms: number): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
