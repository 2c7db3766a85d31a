/**
 * A clock that a test moves.
 *
 * @module
 */

/** Time that goes on when it is told to. */
export class Clock {
  #now = 0;
  #timers: { readonly at: number; readonly callback: () => void }[] = [];

  /** The time in milliseconds. */
  readonly now = (): number => this.#now;

  /** Calls back when that much time has gone by. */
  readonly schedule = (callback: () => void, ms: number): () => void => {
    const timer = { at: this.#now + ms, callback };
    this.#timers.push(timer);
    return () => this.#timers = this.#timers.filter((other) => other !== timer);
  };

  /** How many callbacks are awaited. */
  get waiting(): number {
    return this.#timers.length;
  }

  /** Lets time go by, with what happens meanwhile in its order. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.at);
      this.#timers = this.#timers.filter((other) => other !== next);
      next.callback();
      await settled();
    }
    this.#now = end;
  }
}

/** What promises lead to has happened. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
