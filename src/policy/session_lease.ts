/**
 * A session's place within all limits that are for it.
 *
 * @module
 */

import type { NetError } from "../net/errors.ts";
import type { Account } from "./account.ts";
import type { Ledger } from "./ledger.ts";
import type { Lease } from "./limiter.ts";
import { SessionPace } from "./session_pace.ts";
import type { TokenBucket } from "./token_bucket.ts";

/** A place in some accounts. */
export class SessionLease implements Lease {
  /** How fast it may go, if that is limited. */
  readonly pace: SessionPace | undefined;
  /** How long it may last, in milliseconds, or `Infinity`. */
  readonly lifetime: number;
  /** How long it may go without a byte, in milliseconds, or `Infinity`. */
  readonly idle: number;
  readonly #ledger: Ledger;
  readonly #accounts: readonly Account[];
  #sent = 0;
  #received = 0;
  #isOver = false;

  /**
   * @param ledger Where the accounts are kept.
   * @param accounts Those that the session has entered.
   * @param lifetime How long it may last, in milliseconds, or `Infinity`.
   * @param idle How long it may go without a byte, in milliseconds, or `Infinity`.
   */
  constructor(ledger: Ledger, accounts: readonly Account[], lifetime: number, idle: number) {
    this.#ledger = ledger;
    this.#accounts = accounts;
    this.lifetime = lifetime;
    this.idle = idle;
    const up: TokenBucket[] = [], down: TokenBucket[] = [];
    for (let i = 0; i < accounts.length; i++) accounts[i]!.addBuckets(up, down);
    this.pace = up.length + down.length > 0 ? new SessionPace(up, down, ledger.pacer) : undefined;
  }

  /** Counts what has gone through, and says whether the session is to end. */
  used(sent: number, received: number): NetError | undefined {
    if (this.#isOver) return undefined;
    let end: NetError | undefined;
    for (const account of this.#accounts) {
      if (account.meter === undefined) continue;
      account.meter.count(sent - this.#sent, received - this.#received);
      end ??= account.end;
    }
    this.#sent = sent;
    this.#received = received;
    return end;
  }

  /** Gives the place back. */
  release(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.pace?.end();
    for (const account of this.#accounts) this.#ledger.leave(account);
  }
}
