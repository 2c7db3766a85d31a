/** A clock that goes when the test turns it, in the place of the runtime's. */

const real = {
  clearInterval: globalThis.clearInterval,
  clearTimeout: globalThis.clearTimeout,
  performance: globalThis.performance,
  setInterval: globalThis.setInterval,
  setTimeout: globalThis.setTimeout,
};

interface Timer {
  at: number;
  readonly callback: () => void;
  /** How long until it goes again, if it does. */
  readonly every: number | undefined;
}

/**
 * Takes the place of the global timers and of `performance.now()` until it is disposed of. What is not of the test's
 * own memory (sockets, files, threads) does not go by it.
 */
export class Clock implements Disposable {
  readonly #timers = new Set<Timer>();
  #now = real.performance.now();

  constructor() {
    const add = (every: boolean) => (callback: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): Timer => {
      const length = Math.max(1, ms);
      const timer = { at: this.#now + length, every: every ? length : undefined, callback: () => callback(...args) };
      this.#timers.add(timer);
      return timer;
    };
    // A timer of before may be stopped while this clock is there.
    const remove = (timer: Timer | undefined): void => {
      if (!this.#timers.delete(timer!)) real.clearTimeout(timer as never);
    };
    replace({
      clearInterval: remove,
      clearTimeout: remove,
      performance: { now: () => this.#now },
      setInterval: add(true),
      setTimeout: add(false),
    });
  }

  /** How many milliseconds are left until each timer goes, the next one first. */
  get left(): number[] {
    return Array.from(this.#timers, ({ at }) => at - this.#now).sort((a, b) => a - b);
  }

  /** Lets time go by. Whatever comes of each timer that goes has happened before the next one does. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at);
      if (next === undefined || next.at > end) break;
      this.#now = next.at;
      if (next.every === undefined) this.#timers.delete(next);
      else next.at += next.every;
      next.callback();
      await turn();
    }
    this.#now = end;
    await turn();
  }

  [Symbol.dispose](): void {
    replace(real);
  }
}

/** Lets everything happen that waits for nothing but its turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => real.setTimeout(resolve, 0));
}

function replace(values: Readonly<Record<keyof typeof real, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, enumerable: true, writable: true });
  }
}
