/**
 * What is known of a member of a group: whether it is up, and how fast it is.
 *
 * @module
 */

/** How much the newest of the measured times counts. */
const NEWEST = 0.3;

/** When a member that is down is tried again. */
export interface Pauses {
  /** The first pause, in milliseconds. */
  readonly first: number;
  /** The longest pause, in milliseconds; each is twice as long as the one before. */
  readonly longest: number;
  /** Is told that the member has gone down or come back. */
  readonly changed?: ((isUp: boolean, reason: string) => void) | undefined;
}

/** The health of one member. All times are in milliseconds of one clock. */
export class Health {
  readonly #pauses: Pauses;
  #isUp = true;
  #failedAt = -Infinity;
  #retryAt = -Infinity;
  #pause = 0;
  #latency: number | undefined;

  /** @param pauses When a member that is down is tried again. */
  constructor(pauses: Pauses) {
    this.#pauses = pauses;
  }

  /** Whether it is up. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** When it failed last; long ago if never. */
  get failedAt(): number {
    return this.#failedAt;
  }

  /** How long it has taken lately; `undefined` if it was not measured since it came up. */
  get latency(): number | undefined {
    return this.#latency;
  }

  /** How long it is to be left alone, if it is down. */
  get pause(): number {
    return this.#pause;
  }

  /** Whether it is down, and its pause is over. */
  isDue(now: number): boolean {
    return !this.#isUp && now >= this.#retryAt;
  }

  /** Takes the one trial that a member gets after its pause: until it is over, others leave the member alone. */
  claim(now: number): void {
    if (!this.#isUp) this.#retryAt = now + this.#pause;
  }

  /**
   * Notes a time.
   *
   * @param took How long it took.
   */
  measured(took: number): void {
    this.#latency = this.#latency === undefined ? took : this.#latency + NEWEST * (took - this.#latency);
  }

  /**
   * Notes that it works.
   *
   * @param since When the attempt began. One from before the last failure says nothing.
   * @param reason How that is known.
   */
  succeeded(since: number, reason: string): void {
    if (this.#isUp || since < this.#failedAt) return;
    this.#isUp = true;
    this.#pause = 0;
    this.#pauses.changed?.(true, reason);
  }

  /**
   * Notes that it failed.
   *
   * @param since When the attempt began. Those that were under way at the last failure do not make the pause longer.
   * @param now When it failed.
   * @param reason Why.
   */
  failed(since: number, now: number, reason: string): void {
    if (!this.#isUp && since < this.#failedAt) return;
    const { first, longest, changed } = this.#pauses;
    const wasUp = this.#isUp;
    this.#isUp = false;
    this.#failedAt = now;
    this.#pause = Math.min(longest, wasUp ? first : 2 * this.#pause);
    this.#retryAt = now + this.#pause;
    this.#latency = undefined;
    if (wasUp) changed?.(false, reason);
  }
}
