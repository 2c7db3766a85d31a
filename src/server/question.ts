/**
 * One question that several wait for the answer of.
 *
 * @module
 */

import { NetError } from "../net/errors.ts";

/** A question. Whoever no longer waits leaves the others waiting; when all have left, it is called off. */
export class Question<T> {
  readonly #answer: Promise<T>;
  readonly #calledOff = new AbortController();
  readonly #onEnd: () => void;
  #waiting = 0;

  /**
   * Asks, a turn later.
   *
   * @param ask Asks, until its signal aborts.
   * @param onEnd Called when there is an answer, or nobody waits for one any more; perhaps twice.
   */
  constructor(ask: (signal: AbortSignal) => Promise<T>, onEnd: () => void) {
    this.#onEnd = onEnd;
    this.#answer = Promise.resolve().then(() => ask(this.#calledOff.signal)).finally(onEnd);
    this.#answer.catch(() => {}); // all may have left
  }

  /**
   * Waits for the answer.
   *
   * @param signal Ends the wait, with its reason.
   */
  join(signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        reject(signal.reason);
        if (--this.#waiting > 0) return;
        this.#onEnd(); // the next to ask begins anew
        this.#calledOff.abort(new NetError("aborted", "Cannot go on asking: nobody waits for the answer"));
      };
      this.#waiting++;
      if (signal.aborted) return leave();
      signal.addEventListener("abort", leave, { once: true });
      this.#answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
    });
  }
}
