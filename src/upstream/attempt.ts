/**
 * An attempt to use one member of a group while others are left.
 *
 * @module
 */

import { NetError } from "../net/errors.ts";
import type { Schedule } from "./group_surroundings.ts";

/** An attempt that is given up if the proxies have not done their part in time. The target may take longer. */
export class Attempt {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  readonly #cancel: () => void;
  readonly #abort = (): void => this.#controller.abort(this.#outer.reason);
  #isOverdue = false;

  /**
   * @param outer Ends it as well.
   * @param patience How long the proxies may take, in milliseconds.
   * @param schedule Calls back later.
   */
  constructor(outer: AbortSignal, patience: number, schedule: Schedule) {
    this.#outer = outer;
    this.#cancel = schedule(() => this.#giveUp(patience), patience);
    if (outer.aborted) this.#abort();
    else outer.addEventListener("abort", this.#abort, { once: true });
  }

  /** Aborts when it is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Whether it was given up. */
  get isOverdue(): boolean {
    return this.#isOverdue;
  }

  /** The proxies have done their part: no hurry from here on. */
  asked(): void {
    this.#cancel();
  }

  /** Lets go of the outer signal. */
  end(): void {
    this.#cancel();
    this.#outer.removeEventListener("abort", this.#abort);
  }

  #giveUp(patience: number): void {
    this.#isOverdue = true;
    this.#controller.abort(new NetError("timeout", `no answer within ${patience} ms`));
  }
}
