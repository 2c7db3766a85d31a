/**
 * How much of a quota is used.
 *
 * @module
 */

import type { Counters } from "./counters.ts";
import type { Quota } from "./limit.ts";
import { type Period, periodOf } from "./period.ts";

/** What a meter needs to know. */
export interface QuotaContext {
  /** Where totals are kept. */
  counters: Counters;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
}

/** Counts bytes towards a quota, those of one key. What it could not hand to the counters it tries to with the next. */
export class QuotaMeter {
  /** The quota, which a new configuration may change. */
  quota: Quota;
  readonly #context: QuotaContext;
  readonly #keyOf: (period: string) => string;
  readonly #changed: () => void;
  #period: Period | undefined;
  #key = "";
  /** What the counters said last. */
  #total = 0;
  /** Bytes that they were not told of yet. */
  #owed = 0;
  /** Bytes that they are being told of, and until when. */
  #underWay = 0;
  #sending: Promise<void> | undefined;

  /**
   * @param quota The quota.
   * @param context Where totals are kept, and a clock.
   * @param keyOf The key of a period.
   * @param changed Called when the quota may have been used up, or begun anew.
   */
  constructor(quota: Quota, context: QuotaContext, keyOf: (period: string) => string, changed: () => void) {
    this.quota = quota;
    this.#context = context;
    this.#keyOf = keyOf;
    this.#changed = changed;
  }

  /** Whether it is used up, as far as is known. */
  get isUsedUp(): boolean {
    return this.#total + this.#underWay + this.#owed >= this.quota.bytes;
  }

  /** Whether the counters know all. */
  get isSettled(): boolean {
    return this.#owed === 0 && this.#sending === undefined;
  }

  /**
   * Asks the counters how much is used.
   *
   * @throws {NetError} `not-allowed`, if the store cannot be reached and is not to be done without.
   */
  ask(): void | Promise<void> {
    this.#turnPage();
    const key = this.#key;
    const answer = this.#context.counters.get(key);
    return answer instanceof Promise ? answer.then((total) => this.#learn(total, key)) : this.#learn(answer, key);
  }

  /**
   * Counts.
   *
   * @param sent Bytes from the client.
   * @param received Bytes to the client.
   */
  count(sent: number, received: number): void {
    this.#turnPage();
    const { count = "both" } = this.quota;
    if (count !== "download") this.#owed += sent;
    if (count !== "upload") this.#owed += received;
    this.#send();
  }

  /** Tries again to tell the counters what they do not know yet. */
  retry(): void {
    this.#turnPage();
    this.#send();
  }

  /** Tells the counters what they do not know yet, if they can be told. */
  async settle(): Promise<void> {
    await this.#sending; // it may fail, or leave something over
    this.retry();
    await this.#sending;
  }

  /** Begins another period when it is time. */
  #turnPage(): void {
    const now = this.#context.now();
    const period = periodOf(this.quota, now);
    if (period.key === this.#period?.key) return;
    this.#period = period;
    this.#key = this.#keyOf(period.key);
    this.#total = 0;
    this.#changed();
  }

  /** One call at a time: while a store is slow, what comes in meanwhile goes with the next. */
  #send(): void {
    if (this.#owed === 0 || this.#sending !== undefined) return;
    const key = this.#key;
    const amount = this.#underWay = this.#owed;
    this.#owed = 0;
    try {
      const answer = this.#context.counters.add(key, amount, this.#period!.end);
      if (answer instanceof Promise) {
        this.#sending = answer.then((total) => this.#sent(total, key), () => this.#failed(amount));
      } else this.#sent(answer, key);
    } catch {
      this.#failed(amount);
    }
  }

  #sent(total: number, key: string): void {
    this.#underWay = 0;
    this.#sending = undefined;
    this.#learn(total, key);
    this.#send();
  }

  /** Whoever keeps the counters has told that they cannot be reached. */
  #failed(amount: number): void {
    this.#underWay = 0;
    this.#sending = undefined;
    this.#owed += amount;
    this.#changed();
  }

  #learn(total: number, key: string): void {
    if (key !== this.#key) return; // of the period before
    this.#total = total;
    this.#changed();
  }
}
