/**
 * argon2id beside the relay: in a few threads, with a bounded queue.
 *
 * @module
 */

import { type Argon2, argon2Here, type Argon2Job } from "./argon2.ts";
import type { Argon2Thread } from "./argon2_thread.ts";
import { AuthenticationError } from "./method.ts";

/** Options for {@linkcode argon2Pool}. */
export interface Argon2PoolOptions {
  /**
   * How many threads there are at most.
   *
   * @default {2}
   */
  readonly threads?: number | undefined;
  /**
   * How many jobs may wait.
   *
   * @default {256}
   */
  readonly waiting?: number | undefined;
  /** Starts a thread. Once it has failed, everything is computed by {@linkcode fallback}. */
  readonly start?: (() => Promise<Argon2Thread>) | undefined;
  /** Computes where there are no threads. */
  readonly fallback?: Argon2 | undefined;
}

interface Waiting {
  readonly job: Argon2Job;
  resolve(hash: Uint8Array): void;
  reject(error: unknown): void;
}

/**
 * Makes a function that computes argon2id in threads of its own, which start when they are needed. A job whose signal
 * aborts while it waits is dropped. It throws at once when too many wait: a login that would take long is better refused.
 *
 * @param options How many.
 */
export function argon2Pool(options: Argon2PoolOptions = {}): Argon2 {
  const { threads = 2, waiting = 256, fallback = argon2Here } = options;
  // Loaded when it is needed, so that the library loads where there are no threads.
  const start = options.start ?? (() => import("./argon2_thread.ts").then((module) => module.startArgon2Thread()));
  const queue: Waiting[] = [];
  const resting: (Argon2Thread | undefined)[] = new Array(threads).fill(undefined);
  let hasThreads = true;

  const compute = async (thread: Argon2Thread | undefined, job: Argon2Job): Promise<Uint8Array> => {
    if (thread !== undefined) return await thread.compute(job);
    // What has come in meanwhile goes first.
    await new Promise((resolve) => setTimeout(resolve, 0));
    return await fallback(job);
  };
  const work = async (former: Argon2Thread | undefined): Promise<void> => {
    let thread = former;
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      if (hasThreads && thread?.isOver !== false) {
        thread = await start().catch(() => {
          hasThreads = false;
          return undefined;
        });
      }
      await compute(thread, next.job).then(next.resolve, next.reject);
    }
    resting.push(thread);
  };

  return (job, signal) =>
    new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      if (queue.length >= waiting) {
        throw new AuthenticationError(`Cannot check a password: ${waiting} others wait`, { isUnchecked: true });
      }
      const drop = (): void => {
        const index = queue.indexOf(entry);
        if (index >= 0) queue.splice(index, 1);
        entry.reject(signal?.reason);
      };
      const entry: Waiting = {
        job,
        resolve(hash) {
          signal?.removeEventListener("abort", drop);
          resolve(hash);
        },
        reject(error) {
          signal?.removeEventListener("abort", drop);
          reject(error);
        },
      };
      signal?.addEventListener("abort", drop);
      queue.push(entry);
      if (resting.length > 0) {
        // The one that worked last, so that the others may end.
        work(resting.pop());
      }
    });
}

/** Computes argon2id in two threads that all lists of users share. */
export const sharedArgon2: Argon2 = argon2Pool();
