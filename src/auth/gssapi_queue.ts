/**
 * A queue for what waits on files of the system.
 *
 * @module
 */

import { NetError } from "../net/errors.ts";
import type { Abortable } from "../runtime/runtime.ts";

/** How many may wait. */
const MOST_WAITING = 256;
/** How long one may wait and be worked on, in milliseconds. */
const PATIENCE = 20_000;

/** One who waits. */
interface Waiting {
  readonly run: () => Promise<void>;
}

/** Lets one thing happen at a time, in the order of asking. */
export class GssapiQueue {
  readonly #waiting: Waiting[] = [];
  readonly #most: number;
  readonly #patience: number;
  #isBusy = false;

  /**
   * @param most How many may wait.
   * @param patience How long each may take, with its wait, in milliseconds.
   */
  constructor(most: number = MOST_WAITING, patience: number = PATIENCE) {
    this.#most = most;
    this.#patience = patience;
  }

  /**
   * Does something when its turn has come.
   *
   * @param work What. Once begun it is not given up: what it makes when nobody waits for it any more goes to `late`.
   * @param late Lets go of that.
   * @param signal Nobody waits for it any more.
   * @throws {NetError} `timeout`, `aborted`, or `too-many-files` if too many wait; what `work` throws.
   */
  run<T>(work: () => Promise<T>, late: (made: T) => void, signal?: Abortable): Promise<T> {
    if (this.#waiting.length >= this.#most) {
      return Promise.reject(new NetError("too-many-files", `Cannot take a token: ${this.#most} wait already`));
    }
    return new Promise((resolve, reject) => {
      let isOver = false;
      const end = (): void => {
        isOver = true;
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
      };
      const give = (error: unknown): void => {
        if (isOver) return;
        end();
        reject(error);
      };
      const abort = (): void => give(signal!.reason);
      const timer = setTimeout(
        () => give(new NetError("timeout", `Cannot take a token: no answer within ${this.#patience / 1000} s`)),
        this.#patience,
      );
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.push({
        run: async () => {
          if (isOver) return;
          try {
            const made = await work();
            if (isOver) return late(made);
            end();
            resolve(made);
          } catch (error) {
            give(error);
          }
        },
      });
      if (!this.#isBusy) this.#work();
    });
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) await next.run();
    this.#isBusy = false;
  }
}

/** The library can do one such thing at a time, whoever asks. */
export const gssapiQueue: GssapiQueue = new GssapiQueue();
