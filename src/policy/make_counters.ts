/**
 * The counters that an operator asked for.
 *
 * @module
 */

import type { Counters } from "./counters.ts";
import { fileCounters, type TextFiles } from "./file_counters.ts";
import type { StoreOptions } from "./limit.ts";
import { MemoryCounters } from "./memory_counters.ts";
import type { OnStoreState } from "./store_state.ts";

/** What counters need of the system. */
export interface CountersSystem {
  /** Is told when the store can no longer be used, and when it can again: a line of the log each. */
  readonly onState?: OnStoreState | undefined;
  /**
   * Reads and writes the file.
   *
   * @default The file system of Deno, Bun or Node.
   */
  readonly files?: TextFiles | undefined;
  /**
   * The time, in milliseconds since the epoch.
   *
   * @default {Date.now}
   */
  readonly now?: (() => number) | undefined;
}

/**
 * Makes counters: in memory, in a file, or in Redis. What a kind needs is loaded when it is asked for.
 *
 * @param store Where the counts are kept; in memory if absent.
 * @param system What they need of the system.
 * @returns The counters, to be closed.
 * @throws {RangeError} `found …, expected …`, if the store is not one.
 * @throws {Error} If a file cannot be read or written, or does not hold counts. Redis may be away.
 */
export async function makeCounters(store: StoreOptions | undefined, system: CountersSystem = {}): Promise<Counters> {
  const { file, redis, fail } = store ?? {};
  const { onState, now } = system;
  if (file !== undefined && redis !== undefined) throw new RangeError("found a file and Redis, expected one of them");
  if (redis !== undefined) {
    const { redisCounters } = await import("./redis_counters.ts");
    return await redisCounters(redis, { fail, onState, now });
  }
  if (file !== undefined) {
    const files = system.files ?? await import("./store_file.ts");
    return await fileCounters(file, { files, onState, now });
  }
  return new MemoryCounters({ now });
}
