/**
 * All accounts of running sessions.
 *
 * @module
 */

import { Account, type AccountContext } from "./account.ts";
import type { CompiledLimit } from "./compiled_limit.ts";
import type { Counters } from "./counters.ts";
import type { Pacer } from "./pacer.ts";

/** How many accounts without sessions are kept at most. */
const MAX_LEFT = 10_000;

/** How many accounts without sessions are looked at each time that somebody comes or goes. */
const LOOK_AT = 4;

/**
 * Keeps an account for each key of each limit while a session counts there, and a little longer: a client that leaves
 * and comes back at once finds its bucket as it left it.
 */
export class Ledger implements AccountContext {
  /** Where totals are kept, and new sessions are counted. */
  counters: Counters;
  /** Whose limits hold: that of the latest configuration. */
  owner: unknown;
  /** How many limits of rules had no name so far. */
  unnamed = 0;
  /** The pacer of all buckets. */
  readonly pacer: Pacer;
  /** The time, in milliseconds since the epoch. */
  readonly now: () => number;
  readonly #accounts = new Map<string, Account>();
  /** Those without sessions. */
  readonly #left = new Set<Account>();

  /**
   * @param counters Where totals are kept, and new sessions are counted.
   * @param pacer The pacer of all buckets.
   * @param now The time, in milliseconds since the epoch.
   */
  constructor(counters: Counters, pacer: Pacer, now: () => number) {
    this.counters = counters;
    this.pacer = pacer;
    this.now = now;
  }

  /** How many accounts there are. */
  get size(): number {
    return this.#accounts.size;
  }

  /**
   * Takes a session's place in an account. It is given back with {@linkcode Ledger.leave}.
   *
   * @param limit The limit.
   * @param key Who shares it.
   * @throws {NetError} `not-allowed`, if there is none.
   */
  enter(limit: CompiledLimit, key: string): Account {
    const id = key === "" ? limit.id : `${limit.id}:${key}`;
    let account = this.#accounts.get(id);
    if (account === undefined) {
      this.#sweep();
      account = new Account(id, limit, key, this);
      this.#accounts.set(id, account);
    } else if (account.limit !== limit) account.adopt(limit);
    try {
      account.enter();
    } finally {
      if (account.sessions === 0) this.#forget(account);
    }
    this.#left.delete(account);
    return account;
  }

  /** Gives a place back. */
  leave(account: Account): void {
    account.sessions--;
    if (account.sessions === 0) this.#forget(account);
    this.#sweep();
  }

  /** Holds running sessions to what limits say in another configuration. */
  adopt(limits: readonly CompiledLimit[]): void {
    const byId = new Map(limits.map((limit) => [limit.id, limit]));
    for (const account of this.#accounts.values()) {
      const limit = byId.get(account.limit.id);
      if (limit !== undefined && limit !== account.limit) account.adopt(limit);
    }
  }

  /** Tells the counters what they do not know yet, if they can be told. */
  async settle(): Promise<void> {
    await Promise.all([...this.#accounts.values()].map((account) => account.meter?.settle()));
  }

  #forget(account: Account): void {
    if (account.isRested(this.pacer.now())) return void this.#accounts.delete(account.id);
    this.#left.add(account);
    if (this.#left.size > MAX_LEFT) { for (const oldest of this.#left) return this.#drop(oldest); }
  }

  #drop(account: Account): void {
    this.#left.delete(account);
    this.#accounts.delete(account.id);
  }

  /** Drops accounts that are of no use any more. More are looked at than are left, so that they become fewer. */
  #sweep(): void {
    if (this.#left.size === 0) return;
    const now = this.pacer.now();
    let looks = LOOK_AT;
    for (const account of this.#left) {
      if (looks-- === 0) return;
      if (account.isRested(now)) this.#drop(account);
      else {
        this.#left.delete(account);
        this.#left.add(account); // it gets another look after the others
        account.meter?.retry();
      }
    }
  }
}
