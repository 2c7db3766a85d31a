/**
 * How a session gets a place within its limits: in all of them or in none.
 *
 * @module
 */

import { type Account, exceeded } from "./account.ts";
import type { CompiledLimit } from "./compiled_limit.ts";
import type { Ledger } from "./ledger.ts";
import type { Rate } from "./limit.ts";
import { scopeKeys } from "./limit_scope.ts";
import type { Lease } from "./limiter.ts";
import { Question } from "./question.ts";
import type { RequestInfo } from "./rules.ts";
import { SessionLease } from "./session_lease.ts";

/** A rate that a new session counts towards. */
interface Arrival {
  readonly limit: CompiledLimit;
  readonly rate: Rate;
  readonly key: string;
}

/**
 * One session on its way in. What is counted here comes first; then quotas are looked at; last, when nothing else is in
 * the way, it counts as a new session.
 */
export class Admission {
  readonly #ledger: Ledger;
  readonly #request: RequestInfo;
  readonly #accounts: Account[] = [];
  #arrivals: Arrival[] | undefined;
  #question: Question | undefined;
  #lifetime = Infinity;
  #idle = Infinity;

  /**
   * @param ledger Where the accounts are kept.
   * @param request Whose session it is.
   */
  constructor(ledger: Ledger, request: RequestInfo) {
    this.#ledger = ledger;
    this.#request = request;
  }

  /**
   * Takes a place in each of some limits, as far as they are for this session.
   *
   * @returns The place in all of them, or `undefined` if they bound nothing.
   * @throws {NetError} `not-allowed`, if one of them is exceeded. Then no place is taken.
   */
  through(
    limits: readonly CompiledLimit[],
    ruleLimit: CompiledLimit | undefined,
  ): Lease | undefined | Promise<Lease | undefined> {
    try {
      for (let i = 0; i < limits.length; i++) this.#enter(limits[i]!);
      if (ruleLimit !== undefined) this.#enter(ruleLimit);
      const checking = this.#checkQuotas() ?? this.#arrive();
      if (checking === undefined) return this.#lease();
      return checking.then(() => this.#lease(), (error) => this.#giveUp(error));
    } catch (error) {
      return this.#giveUp(error);
    }
  }

  #enter(limit: CompiledLimit): void {
    if (!limit.isForAll && !limit.isFor(this.#question ??= new Question(this.#request, {}, this.#ledger.now))) return;
    const { newSessions, lifetime, idle } = limit.limit;
    const keys = scopeKeys(limit.limit, this.#request);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i]!;
      if (limit.hasAccounts) this.#accounts.push(this.#ledger.enter(limit, key));
      if (newSessions !== undefined) (this.#arrivals ??= []).push({ limit, rate: newSessions, key });
    }
    if (keys.length === 0) return;
    if (lifetime !== undefined) this.#lifetime = Math.min(this.#lifetime, lifetime);
    if (idle !== undefined) this.#idle = Math.min(this.#idle, idle);
  }

  /** All at the same time, then the arrival. */
  #checkQuotas(): Promise<void> | undefined {
    let asked: Promise<void>[] | undefined;
    for (const account of this.#accounts) {
      const asking = account.meter?.ask();
      if (asking === undefined) account.checkQuota();
      else (asked ??= []).push(asking.then(() => account.checkQuota()));
    }
    return asked === undefined ? undefined : Promise.all(asked).then(() => this.#arrive());
  }

  #arrive(): Promise<void> | undefined {
    let asked: Promise<void>[] | undefined;
    for (const arrival of this.#arrivals ?? []) {
      const { limit, rate, key } = arrival;
      const isWithin = this.#ledger.counters.hit(limit.counterKey(key, "new"), rate);
      if (isWithin instanceof Promise) (asked ??= []).push(isWithin.then((isWithin) => check(arrival, isWithin)));
      else check(arrival, isWithin);
    }
    return asked === undefined ? undefined : Promise.all(asked).then(() => {});
  }

  #lease(): Lease | undefined {
    if (this.#accounts.length === 0 && this.#lifetime === Infinity && this.#idle === Infinity) return undefined;
    return new SessionLease(this.#ledger, this.#accounts, this.#lifetime, this.#idle);
  }

  #giveUp(error: unknown): never {
    for (const account of this.#accounts) this.#ledger.leave(account);
    throw error;
  }
}

/** @throws {NetError} `not-allowed`, if there were too many. */
function check({ limit, rate: { count, per }, key }: Arrival, isWithin: boolean): void {
  if (isWithin) return;
  throw exceeded("admit", limit, `${count} new ${count === 1 ? "session" : "sessions"} in ${per / 1000} s`, key);
}
