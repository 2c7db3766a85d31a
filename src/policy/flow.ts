/**
 * One direction of a session on its way through buckets.
 *
 * @module
 */

import type { Pacer, Waiter } from "./pacer.ts";
import type { Claim, ClaimOwner, TokenBucket } from "./token_bucket.ts";

/** A flow's part in one bucket. */
interface Share extends Claim {
  readonly bucket: TokenBucket;
}

/**
 * What goes one way in one session. It passes all of its buckets or none: the least that one of them has is taken from
 * each. It waits in all that lack at once, and keeps what it got in one until the others have some, too.
 */
export class Flow implements Waiter, ClaimOwner {
  readonly #pacer: Pacer;
  #shares: readonly Share[];
  /** What was last asked for and not given. */
  #wanted = 1;
  #callback: (() => void) | undefined;

  /**
   * @param buckets The buckets that it goes through; with none it is free.
   * @param pacer The pacer of those.
   */
  constructor(buckets: readonly TokenBucket[], pacer: Pacer) {
    this.#pacer = pacer;
    this.#shares = buckets.map((bucket) => (
      { bucket, owner: this, granted: 0, servedAt: 0, target: 0, least: 0, isQueued: false, isServed: false }
    ));
  }

  /** Whether somebody is to be called back. */
  get isWaiting(): boolean {
    return this.#callback !== undefined;
  }

  /**
   * Takes leave to write.
   *
   * @param wanted How many bytes there are, at least 1.
   * @returns How many may be written now; with 0 of them {@linkcode Flow.wait} says when to ask again.
   */
  take(wanted: number): number {
    const shares = this.#shares;
    if (shares.length === 0) return wanted;
    const now = this.#pacer.now();
    const least = this.#least(wanted);
    let leave = wanted;
    for (let i = 0; i < shares.length && leave > 0; i++) {
      const share = shares[i]!;
      leave = Math.min(leave, share.bucket.offer(share, wanted, least, now));
    }
    if (leave < wanted) this.#wanted = wanted - leave;
    if (leave > 0) { for (let i = 0; i < shares.length; i++) shares[i]!.bucket.spend(shares[i]!, leave); }
    return leave;
  }

  /**
   * Takes leave for a whole datagram.
   *
   * @param size How many bytes it has.
   * @returns Whether it may go. If not it is to be dropped; one that comes later will have its turn.
   */
  takeAll(size: number): boolean {
    const now = this.#pacer.now();
    let isEnough = true;
    for (const share of this.#shares) {
      if (share.bucket.offersAll(share, size, now)) continue;
      share.bucket.enqueue(share, size, size);
      isEnough = false;
    }
    if (!isEnough) return false;
    for (const share of this.#shares) share.bucket.spend(share, size);
    return true;
  }

  /**
   * Calls back once, later, when `take` will give some or the flow has ended. A second call before that replaces the
   * first.
   */
  wait(callback: () => void): void {
    this.#callback = callback;
    const now = this.#pacer.now();
    const wanted = this.#wanted;
    const least = this.#least(wanted);
    // A fast bucket does not set aside more for it than the slowest one lets through.
    let target = Number.MAX_SAFE_INTEGER;
    for (const { bucket } of this.#shares) target = Math.min(target, bucket.burst);
    target = Math.max(least, Math.floor(target));
    for (const share of this.#shares) {
      if (share.bucket.offer(share, wanted, least, now) === 0) share.bucket.enqueue(share, target, least);
    }
    this.served();
  }

  /** Calls back. */
  goOn(): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.();
  }

  /** Ends it: gives back what it has not used. What is asked from now on is free. */
  end(): void {
    for (const share of this.#shares) share.bucket.takeBack(share);
    this.#shares = [];
    this.served();
  }

  /** One of its claims waits no more. When none does it goes on. */
  served(): void {
    if (this.#callback === undefined || this.#shares.some(({ isQueued }) => isQueued)) return;
    this.#pacer.release(this);
  }

  /** The fewest bytes that are worth a write. */
  #least(wanted: number): number {
    let least = wanted;
    for (let i = 0; i < this.#shares.length; i++) least = Math.min(least, this.#shares[i]!.bucket.quantum);
    return least;
  }
}
