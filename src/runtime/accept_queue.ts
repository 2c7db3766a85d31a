/**
 * Accepted sockets on their way to whoever iterates a listener. What waits is kept as the runtime gave it, so that a
 * connection which nobody took yet is not read from.
 */
export class AcceptQueue<Accepted, Taken> implements AsyncIterator<Taken> {
  readonly #take: (accepted: Accepted) => Taken;
  readonly #drop: (accepted: Accepted) => void;
  readonly #waiting: Accepted[] = [];
  readonly #takers: ((result: IteratorResult<Taken>) => void)[] = [];
  #closed = false;

  /**
   * @param take Makes a connection of what was accepted.
   * @param drop Closes what nobody took.
   */
  constructor(take: (accepted: Accepted) => Taken, drop: (accepted: Accepted) => void) {
    this.#take = take;
    this.#drop = drop;
  }

  /** Hands an accepted socket to the next taker. */
  push(accepted: Accepted): void {
    if (this.#closed) return this.#drop(accepted);
    const taker = this.#takers.shift();
    if (taker === undefined) this.#waiting.push(accepted);
    else taker({ done: false, value: this.#take(accepted) });
  }

  /** How many wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** The next connection. */
  next(): Promise<IteratorResult<Taken>> {
    const accepted = this.#waiting.shift();
    if (accepted !== undefined) return Promise.resolve({ done: false, value: this.#take(accepted) });
    if (this.#closed) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#takers.push(resolve));
  }

  /** Leaving a `for await` loop does not close the listener. */
  return(): Promise<IteratorResult<Taken>> {
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends the iteration and drops what waits. `false` when that was done before. */
  close(): boolean {
    if (this.#closed) return false;
    this.#closed = true;
    for (const accepted of this.#waiting.splice(0)) this.#drop(accepted);
    for (const taker of this.#takers.splice(0)) taker({ done: true, value: undefined });
    return true;
  }
}
