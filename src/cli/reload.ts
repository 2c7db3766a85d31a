/**
 * New settings for a running server.
 *
 * @module
 */

import { ConfigError } from "../config/config_error.ts";
import { printable } from "../config/printable.ts";
import { NetError } from "../net/errors.ts";
import { describeFault } from "./faults.ts";
import { listenProblem } from "./listen_problem.ts";

/** What a {@linkcode Reloader} does, and whom it tells. */
export interface ReloadOptions {
  /** Loads the settings and puts them into effect: all of them, or none and a throw. */
  readonly reload: () => Promise<void>;
  /** It begins. */
  readonly started?: (() => void) | undefined;
  /** They are in effect. */
  readonly succeeded: () => void;
  /** Everything is as before. */
  readonly failed: (problems: readonly string[]) => void;
}

/** Reloads when it is asked to, one time after the other. */
export class Reloader {
  readonly #options: ReloadOptions;
  #running: Promise<void> | undefined;
  #isAskedAgain = false;

  /** @param options What it does, and whom it tells. */
  constructor(options: ReloadOptions) {
    this.#options = options;
  }

  /**
   * Reloads. Whoever asks while that is being done gets one more time after it, however many they are: what it has read
   * may be older than their wish.
   *
   * @returns Fulfilled when all that was asked for is done, well or not.
   */
  request(): Promise<void> {
    if (this.#running !== undefined) this.#isAskedAgain = true;
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    const { reload, started, succeeded, failed } = this.#options;
    do {
      this.#isAskedAgain = false;
      started?.();
      try {
        await reload();
        succeeded();
      } catch (error) {
        failed(reloadProblems(error));
      }
    } while (this.#isAskedAgain);
    this.#running = undefined;
  }
}

/**
 * Says what is wrong with new settings.
 *
 * @param error What was thrown for them.
 * @returns At least one line, printable.
 */
export function reloadProblems(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.problems;
  if (error instanceof NetError) return [listenProblem(error).replaceAll("\n", " ")];
  const isExpected = error instanceof Error && (!(error instanceof TypeError) || /^Cannot listen/.test(error.message));
  return isExpected ? [printable(error.message)] : [describeFault(error)];
}
