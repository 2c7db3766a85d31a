import { LANDING, pool } from "./buffers.ts";

/** What a {@linkcode ReadBuffer} asks of its connection. */
export interface ReadBufferOwner {
  /** Changes the buffer of the read that is waiting already. `false` where the runtime cannot. */
  exchangeBuffer(buffer: Uint8Array): boolean;
}

/**
 * Chooses the buffer that a relayed connection reads into, by what its last read brought, and sees to it that nothing
 * is read into a buffer from which a write is pending.
 */
export class ReadBuffer {
  readonly #owner: ReadBufferOwner;
  #buffer: Uint8Array;
  /** A copy off the landing which is not written yet. */
  #copy: Uint8Array | undefined;
  #stalled = false;
  #busy = false;

  /**
   * @param owner The connection.
   * @param buffer What it reads into now: the landing or a part of it.
   */
  constructor(owner: ReadBufferOwner, buffer: Uint8Array) {
    this.#owner = owner;
    this.#buffer = buffer;
  }

  /** The bytes of a read, safe from the reads of other connections. */
  bytes(length: number): Uint8Array {
    const buffer = this.#buffer;
    return buffer.buffer === LANDING.buffer ? pool.copy(length) : buffer.subarray(0, length);
  }

  /**
   * Chooses the buffer of the next read.
   *
   * @param length How much the last one brought.
   * @param written Whether its bytes are written. If not they must stay, until {@linkcode ReadBuffer.resume}.
   */
  next(length: number, written: boolean): Uint8Array {
    this.#busy = true;
    const before = this.#buffer;
    if (!written) {
      this.#stalled = true;
      if (before.buffer === LANDING.buffer) this.#copy = pool.keep(length);
      return before;
    }
    const after = length === before.length && before.length < LANDING.length ? LANDING : pool.next(before, length);
    if (after !== before) this.#change(after);
    return after;
  }

  /** Everything is written. */
  resume(): void {
    this.#stalled = false;
    if (this.#copy !== undefined) pool.giveCopy(this.#copy);
    this.#copy = undefined;
  }

  /** Gives everything back: the connection reads no more. */
  release(): void {
    const buffer = this.#buffer;
    sweeper.remove(this);
    this.#buffer = LANDING;
    // A pending write may yet be sent from it.
    if (this.#stalled) {
      if (buffer.buffer !== LANDING.buffer) pool.forget(buffer);
      this.#copy = undefined;
    } else if (buffer.buffer !== LANDING.buffer) pool.give(buffer);
  }

  /** Gives back a lease that nothing was read into since the last time. */
  sweep(): void {
    const idle = !this.#busy && !this.#stalled;
    this.#busy = false;
    if (!idle || !this.#owner.exchangeBuffer(LANDING)) return;
    pool.give(this.#buffer);
    this.#change(LANDING);
  }

  #change(after: Uint8Array): void {
    this.#buffer = after;
    if (after.buffer === LANDING.buffer) sweeper.remove(this);
    else sweeper.add(this);
  }
}

/** How long a lease may lie idle, in milliseconds; twice that at most. */
const SWEEP_INTERVAL = 1_000;

/** Looks through the leases now and then: a tunnel that rests after a download has no use for its buffer. */
class Sweeper {
  readonly #leases = new Set<ReadBuffer>();
  #timer: ReturnType<typeof setInterval> | undefined;

  add(lease: ReadBuffer): void {
    this.#leases.add(lease);
    // It keeps the process alive no longer than the connections with a lease do.
    this.#timer ??= setInterval(() => this.#sweep(), SWEEP_INTERVAL);
  }

  remove(lease: ReadBuffer): void {
    if (!this.#leases.delete(lease) || this.#leases.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #sweep(): void {
    for (const lease of this.#leases) lease.sweep();
  }
}

const sweeper = new Sweeper();
