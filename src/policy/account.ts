/**
 * What sessions share that count under one key of a limit.
 *
 * @module
 */

import { NetError } from "../net/errors.ts";
import type { CompiledLimit } from "./compiled_limit.ts";
import { describeKey } from "./limit_scope.ts";
import type { Pacer } from "./pacer.ts";
import { type QuotaContext, QuotaMeter } from "./quota_meter.ts";
import { TokenBucket } from "./token_bucket.ts";

/** What an account needs. */
export interface AccountContext extends QuotaContext {
  /** The pacer of all buckets. */
  readonly pacer: Pacer;
}

/** The buckets and counts of one key of a limit. */
export class Account {
  /** What it is kept under. */
  readonly id: string;
  /** Who shares it. */
  readonly key: string;
  /** Sessions that count here now. */
  sessions = 0;
  readonly #context: AccountContext;
  #limit: CompiledLimit;
  /** Both ways' buckets of the limit, and of its quota when that is used up. */
  #up: TokenBucket | undefined;
  #down: TokenBucket | undefined;
  #slowUp: TokenBucket | undefined;
  #slowDown: TokenBucket | undefined;
  #meter: QuotaMeter | undefined;

  /**
   * @param id What it is kept under.
   * @param limit The limit.
   * @param key Who shares it.
   * @param context What it needs.
   */
  constructor(id: string, limit: CompiledLimit, key: string, context: AccountContext) {
    this.id = id;
    this.key = key;
    this.#context = context;
    this.#limit = limit;
    this.adopt(limit);
  }

  /** The limit that holds. */
  get limit(): CompiledLimit {
    return this.#limit;
  }

  /** Counts towards the quota, if there is one. */
  get meter(): QuotaMeter | undefined {
    return this.#meter;
  }

  /** Takes over what another configuration says. A bound on bytes where there was none holds for sessions to come. */
  adopt(limit: CompiledLimit): void {
    this.#limit = limit;
    const { upload, download, quota } = limit.limit;
    this.#up = this.#setBucket(this.#up, upload);
    this.#down = this.#setBucket(this.#down, download);
    if (quota === undefined) this.#meter = undefined;
    else if (this.#meter !== undefined) this.#meter.quota = quota;
    else {
      const keyOf = (period: string): string => this.#limit.counterKey(this.key, period);
      this.#meter = new QuotaMeter(quota, this.#context, keyOf, () => this.#slowDownOrNot());
    }
    const slow = typeof quota?.then === "number" ? quota.then : undefined;
    this.#slowUp = this.#setBucket(this.#slowUp, slow);
    this.#slowDown = this.#setBucket(this.#slowDown, slow);
    this.#slowDownOrNot();
  }

  /** Adds the buckets that a session goes through. */
  addBuckets(up: TokenBucket[], down: TokenBucket[]): void {
    for (const bucket of [this.#up, this.#slowUp]) if (bucket !== undefined) up.push(bucket);
    for (const bucket of [this.#down, this.#slowDown]) if (bucket !== undefined) down.push(bucket);
  }

  /**
   * Takes a place for a session.
   *
   * @throws {NetError} `not-allowed`, if there is none.
   */
  enter(): void {
    const { sessions } = this.#limit.limit;
    if (sessions !== undefined && this.sessions >= sessions) {
      throw this.#exceeded("admit", `${sessions} ${sessions === 1 ? "session" : "sessions"} at once`);
    }
    this.sessions++;
  }

  /** @throws {NetError} `not-allowed`, if no new sessions are admitted because the quota is used up. */
  checkQuota(): void {
    if (this.#meter?.isUsedUp !== true || typeof this.#meter.quota.then === "number") return;
    throw this.#exceeded("admit", this.#quotaText(this.#meter));
  }

  /** Why running sessions are to be ended, if they are. */
  get end(): NetError | undefined {
    if (this.#meter?.quota.then !== "end" || !this.#meter.isUsedUp) return undefined;
    return this.#exceeded("go on", this.#quotaText(this.#meter));
  }

  /** Whether a new one would be the same. */
  isRested(now: number): boolean {
    if (this.sessions > 0 || this.#meter?.isSettled === false) return false;
    return this.#up?.isRested(now) !== false && this.#down?.isRested(now) !== false &&
      this.#slowUp?.isRested(now) !== false && this.#slowDown?.isRested(now) !== false;
  }

  #quotaText({ quota }: QuotaMeter): string {
    return `${quota.bytes} bytes ${quota.every === "hour" ? "an" : "a"} ${quota.every} are used up`;
  }

  #exceeded(action: string, what: string): NetError {
    return exceeded(action, this.#limit, what, this.key);
  }

  #setBucket(bucket: TokenBucket | undefined, rate: number | undefined): TokenBucket | undefined {
    if (rate === undefined) {
      if (bucket !== undefined) bucket.isOpen = true; // for those that go through it still
      return undefined;
    }
    if (bucket === undefined) return new TokenBucket(rate, this.#context.pacer);
    bucket.rate = rate;
    return bucket;
  }

  #slowDownOrNot(): void {
    const isOpen = this.#meter?.isUsedUp !== true;
    if (this.#slowUp !== undefined) this.#slowUp.isOpen = isOpen;
    if (this.#slowDown !== undefined) this.#slowDown.isOpen = isOpen;
  }
}

/** A session that a limit does not allow. */
export class LimitError extends NetError {}

/**
 * Says what a session exceeds: `Cannot admit: limit "office": 100 sessions at once for 192.0.2.7`.
 *
 * @param action What cannot be done.
 * @param limit Whose bound it is.
 * @param what The bound.
 * @param key Who shares it.
 */
export function exceeded(action: string, limit: CompiledLimit, what: string, key: string): LimitError {
  const who = describeKey(limit.per, key);
  return new LimitError("not-allowed", `Cannot ${action}: limit ${JSON.stringify(limit.name)}: ${what}${who}`);
}
