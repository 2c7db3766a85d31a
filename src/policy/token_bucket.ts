/**
 * Leave to send a number of bytes a second.
 *
 * @module
 */

import type { Pacer, Source } from "./pacer.ts";

/** The part that one stream has in a bucket. The bucket keeps it; whoever made it only looks. */
export interface Claim {
  /** Bytes that were set aside for it when it was its turn. */
  granted: number;
  /** When that was, in milliseconds of the pacer. */
  servedAt: number;
  /** With how many of these it has enough. */
  target: number;
  /** Bytes that are enough to let it go on. */
  least: number;
  /** Whether it waits. */
  isQueued: boolean;
  /** Whether it had a turn in the round that is under way. */
  isServed: boolean;
  /** Whose it is. */
  readonly owner: ClaimOwner;
}

/** Owns claims. */
export interface ClaimOwner {
  /** Whether it waits, for this claim or another. */
  readonly isWaiting: boolean;
  /** A claim waits no more. */
  served(): void;
}

/** Seconds' worth that an unused bucket holds: what may go at once after a rest. */
const BURST = 0.05;

/** Seconds' worth that are made up for when the timer is late. */
const CATCH_UP = 0.25;

/** Seconds' worth of a turn, and of the least that is worth a write … */
const TURN = 0.02;

/** … but no more than this many bytes. */
const MAX_QUANTUM = 16_384;

/** Milliseconds in which a stream uses what it got in its turn, or others may. */
const HOLD = 50;

/**
 * A token bucket that streams share in fairness. While there is enough for all each takes what it wants. When there is
 * not they wait in a queue, and what comes in is given out in turns, the same to each, whether it writes little at once
 * or much. What a stream does not use of that soon the bucket takes back, so that nothing is lost to the others.
 */
export class TokenBucket implements Source {
  readonly #pacer: Pacer;
  readonly #queue = new Set<Claim>();
  /** Who has something set aside, the oldest first. */
  readonly #holders = new Set<Claim>();
  readonly #served: Claim[] = [];
  #rate = 0;
  #tokens = 0;
  /** When tokens last came in. */
  #at: number;
  #isOpen: boolean;
  #burst = 0;
  #quantum = 0;

  /**
   * Makes a bucket with what it holds after a rest.
   *
   * @param rate Bytes a second, at least 1.
   * @param pacer Who has it serve.
   * @param isOpen Whether everything may pass, until {@linkcode TokenBucket.isOpen} is set otherwise.
   */
  constructor(rate: number, pacer: Pacer, isOpen = false) {
    this.#pacer = pacer;
    this.#at = pacer.now();
    this.#isOpen = isOpen;
    this.rate = rate;
    this.#tokens = this.#burst;
  }

  /** Bytes a second. */
  get rate(): number {
    return this.#rate;
  }

  set rate(rate: number) {
    if (rate === this.#rate) return;
    this.#refill(this.#pacer.now());
    this.#rate = rate;
    this.#quantum = Math.min(MAX_QUANTUM, Math.max(1, Math.floor(rate * TURN)));
    this.#burst = Math.max(this.#quantum, rate * BURST);
    this.#tokens = Math.min(this.#tokens, this.#burst);
  }

  /** Whether everything may pass, uncounted. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  set isOpen(isOpen: boolean) {
    if (isOpen === this.#isOpen) return;
    this.#isOpen = isOpen;
    this.#at = this.#pacer.now();
  }

  /** Bytes that may go at once after a rest. */
  get burst(): number {
    return this.#isOpen ? Infinity : this.#burst;
  }

  /** Bytes of a turn. */
  get quantum(): number {
    return this.#isOpen ? Infinity : this.#quantum;
  }

  /**
   * Says how much a stream may take now.
   *
   * @param claim The stream's.
   * @param wanted How many bytes it would like.
   * @param least How many are worth the effort, at most `wanted`.
   * @param now Milliseconds, of the pacer.
   * @returns A whole number of bytes from `least` to `wanted`, or 0.
   */
  offer(claim: Claim, wanted: number, least: number, now: number): number {
    if (this.#isOpen) return wanted;
    if (this.#isStale(claim, now)) this.takeBack(claim);
    let has = claim.granted;
    if (has < wanted && this.#isFree(claim)) {
      this.#refill(now);
      if (this.#tokens > 0) has = Math.floor(has + this.#tokens);
    }
    return has < least ? 0 : Math.min(has, wanted);
  }

  /**
   * Says whether a stream may take a whole datagram now. One that is larger than what there is passes, too, and those
   * that come after it wait until that is made up for.
   */
  offersAll(claim: Claim, size: number, now: number): boolean {
    if (this.#isOpen) return true;
    if (this.#isStale(claim, now)) this.takeBack(claim);
    if (claim.granted >= size) return true;
    if (!this.#isFree(claim)) return false;
    this.#refill(now);
    return this.#tokens > 0;
  }

  /** Takes what was offered. */
  spend(claim: Claim, bytes: number): void {
    if (this.#isOpen) return;
    const granted = Math.min(claim.granted, bytes);
    claim.granted -= granted;
    if (claim.granted === 0 && granted > 0) this.#holders.delete(claim);
    this.#tokens -= bytes - granted;
  }

  /**
   * Puts a stream at the end of the queue, if it is not in it yet.
   *
   * @param claim The stream's.
   * @param target How many bytes are set aside for it at most, save for the rest of its turn; at least 1.
   * @param least How many are enough to let it go on, at most `target`.
   */
  enqueue(claim: Claim, target: number, least: number): void {
    claim.target = target;
    claim.least = least;
    if (claim.isQueued) return;
    this.#refill(this.#pacer.now()); // from here on it is the queue's
    claim.isQueued = true;
    this.#queue.add(claim);
    this.#pacer.watch(this);
  }

  /** Takes back what was set aside for a stream that did not use it in time, or is over. It waits no more. */
  takeBack(claim: Claim): void {
    this.#dequeue(claim);
    if (claim.granted === 0) return;
    this.#holders.delete(claim);
    this.#tokens = Math.max(this.#tokens, Math.min(this.#tokens + claim.granted, this.#capacity));
    claim.granted = 0;
  }

  /** Whether it is as it would be if it was new. */
  isRested(now: number): boolean {
    this.#refill(now);
    return this.#queue.size === 0 && (this.#isOpen || this.#tokens >= this.#burst);
  }

  /** Gives out what has come in. */
  serve(now: number): boolean {
    for (const claim of this.#holders) {
      if (now - claim.servedAt <= HOLD) break;
      if (this.#isStale(claim, now)) this.takeBack(claim);
    }
    this.#refill(now);
    for (const claim of this.#queue) {
      const turn = this.#isOpen || claim.granted >= claim.target ? 0 : this.#quantum;
      if (turn > this.#tokens && turn > 0) break;
      this.#tokens -= turn;
      claim.granted += turn;
      this.#queue.delete(claim);
      if (!claim.isServed) this.#served.push(claim);
      claim.isServed = true;
      if (!this.#isOpen && claim.granted < claim.target) this.#queue.add(claim); // again, behind the others
      else claim.isQueued = false;
    }
    for (const claim of this.#served) {
      claim.isServed = false;
      claim.servedAt = now;
      this.#holders.delete(claim);
      if (claim.granted > 0) this.#holders.add(claim);
      if (claim.isQueued && claim.granted >= claim.least) this.#dequeue(claim);
      if (!claim.isQueued) claim.owner.served();
    }
    this.#served.length = 0;
    return this.#queue.size > 0;
  }

  #dequeue(claim: Claim): void {
    claim.isQueued = false;
    this.#queue.delete(claim);
  }

  /** Whether a stream did not come back for what it got. */
  #isStale(claim: Claim, now: number): boolean {
    return claim.granted > 0 && now - claim.servedAt > HOLD && !claim.isQueued && !claim.owner.isWaiting;
  }

  /** Whether nobody else waits: then what there is belongs to whoever comes. */
  #isFree(claim: Claim): boolean {
    return this.#queue.size === (claim.isQueued ? 1 : 0);
  }

  get #capacity(): number {
    // Only while somebody waits is the timer to blame for what did not go.
    return this.#queue.size > 0 ? Math.max(this.#quantum, this.#rate * CATCH_UP) : this.#burst;
  }

  #refill(now: number): void {
    const elapsed = Math.max(0, now - this.#at);
    this.#at += elapsed;
    const capacity = this.#capacity;
    if (this.#tokens < capacity) this.#tokens = Math.min(capacity, this.#tokens + elapsed * this.#rate / 1000);
  }
}
