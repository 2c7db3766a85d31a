/**
 * One timer for all that waits for leave to go on.
 *
 * @module
 */

/** A clock and a timer. */
export interface Timers {
  /** Milliseconds from some moment on, in fractions; it never goes back. */
  now(): number;
  /**
   * Calls back again and again.
   *
   * @param interval Milliseconds between two calls; more, if there is much to do.
   * @param callback What is called.
   * @returns Stops it.
   */
  every(interval: number, callback: () => void): () => void;
}

/** The clock and the timer of whatever this runs on. */
export const systemTimers: Timers = {
  now: () => performance.now(),
  every: (interval, callback) => {
    const timer = setInterval(callback, interval);
    return () => clearInterval(timer);
  },
};

/** Gives out, from time to time, what has come together. */
export interface Source {
  /**
   * Gives to those who wait for it.
   *
   * @param now Milliseconds, of {@linkcode Timers.now}.
   * @returns Whether some still wait.
   */
  serve(now: number): boolean;
}

/** Waits for its turn to go on. */
export interface Waiter {
  /** It is its turn. */
  goOn(): void;
}

/** Milliseconds between two rounds. Shorter ones would cost more, longer ones would make a tunnel stutter. */
const INTERVAL = 10;

/** Has sources serve those who wait, with one timer that runs only while somebody does. */
export class Pacer {
  readonly #timers: Timers;
  readonly #sources = new Set<Source>();
  #turns: Waiter[] = [];
  #stop: (() => void) | undefined;

  /** @param timers The clock and the timer. */
  constructor(timers: Timers = systemTimers) {
    this.#timers = timers;
  }

  /** Whether its timer runs. */
  get isRunning(): boolean {
    return this.#stop !== undefined;
  }

  /** Milliseconds, of {@linkcode Timers.now}. */
  now(): number {
    return this.#timers.now();
  }

  /** Has a source serve those who wait for it, until none does. */
  watch(source: Source): void {
    this.#sources.add(source);
    this.#start();
  }

  /** Lets somebody go on, after the round that is under way or else the next. */
  release(waiter: Waiter): void {
    this.#turns.push(waiter);
    this.#start();
  }

  #start(): void {
    this.#stop ??= this.#timers.every(INTERVAL, () => this.#tick());
  }

  #tick(): void {
    if (this.#sources.size === 0 && this.#turns.length === 0) {
      this.#stop?.();
      this.#stop = undefined;
      return;
    }
    const now = this.now();
    for (const source of this.#sources) if (!source.serve(now)) this.#sources.delete(source);
    const turns = this.#turns;
    this.#turns = []; // whoever goes on may wait again
    for (const waiter of turns) waiter.goOn();
  }
}
