/**
 * A signal that costs next to nothing: there is one for each dial.
 *
 * @module
 */

import type { Abortable } from "../runtime/runtime.ts";

/** Does what an `AbortSignal` does for a dial, without being an event target, which costs more than the dial's own code. */
export class LightSignal implements Abortable {
  /** Whether it was aborted. */
  aborted = false;
  /** Why. */
  reason: unknown = undefined;
  #listeners: (() => void)[] | undefined;

  /** Aborts, and tells those who listen, once. */
  abort(reason: unknown): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    for (const listener of listeners ?? []) listener();
  }

  /** Calls `listener` when it is aborted. */
  addEventListener(_type: "abort", listener: () => void): void {
    (this.#listeners ??= []).push(listener);
  }

  /** Does not call it any more. */
  removeEventListener(_type: "abort", listener: () => void): void {
    const at = this.#listeners?.indexOf(listener) ?? -1;
    if (at >= 0) this.#listeners!.splice(at, 1);
  }
}

/** The `AbortSignal` that aborts when another does, for what takes no less. */
export function abortSignalOf(signal: Abortable): AbortSignal {
  const controller = new AbortController();
  if (signal.aborted) controller.abort(signal.reason);
  else signal.addEventListener("abort", () => controller.abort(signal.reason), { once: true });
  return controller.signal;
}
