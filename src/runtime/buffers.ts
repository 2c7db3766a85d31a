/**
 * The buffers that reads land in. Large reads are what makes a relay cheap, and large buffers are what makes an idle
 * tunnel dear; so nobody owns one for long:
 *
 * - A connection at rest has no buffer. All of them read into one landing, which is safe because the read and its
 *   callback happen in one turn; whoever wants to keep the bytes copies them.
 * - A relay under load leases a large buffer, sized by what its last read brought.
 *
 * @module
 */

const KIB = 1024;

/** Where every connection's reads land unless it leased a buffer. Good only within the callback of the read. */
export const LANDING: Uint8Array = new Uint8Array(64 * KIB);

/** The part of the landing that a handshake reads into: what is read ahead of its reader must stay small. */
export const SMALL_LANDING: Uint8Array = LANDING.subarray(0, 4 * KIB);

const MEDIUM = 256 * KIB;
const LARGE = 1024 * KIB;

/** Reads up to this long are served by the landing. */
const LANDING_ENOUGH = 32 * KIB;

/** How much may be on lease at once, in bytes. What comes after makes do with the landing. */
const MAX_LEASED = 64 * 1024 * KIB;

/** How much is kept for the next lease, in bytes. */
const MAX_FREE = 16 * 1024 * KIB;

/** How many copies of each size are kept for the next write that does not go out at once. */
const MAX_FREE_COPIES = 32;

/** Leases large buffers, never more than a bounded total. */
export class BufferPool {
  readonly #medium: Uint8Array[] = [];
  readonly #large: Uint8Array[] = [];
  readonly #copies: Uint8Array[] = [];
  readonly #smallCopies: Uint8Array[] = [];
  #leased = 0;
  #free = 0;

  /** How much is on lease, in bytes. */
  get leased(): number {
    return this.#leased;
  }

  /**
   * The buffer for the read after one of `length` bytes.
   *
   * @param current What that read came into: the landing or a lease, which is given back if it does not fit any more.
   * @param length How much that read brought.
   */
  next(current: Uint8Array, length: number): Uint8Array {
    const leased = current.buffer !== LANDING.buffer;
    const size = length <= LANDING_ENOUGH ? 0 : length < MEDIUM / 2 ? MEDIUM : LARGE;
    if (size === 0) {
      if (leased) this.give(current);
      return LANDING;
    }
    if (leased && current.length === size) return current;
    if (leased) this.give(current);
    return this.#lease(size) ?? this.#lease(MEDIUM) ?? LANDING;
  }

  /** Takes back a lease that nothing reads into or writes from any more. */
  give(buffer: Uint8Array): void {
    this.forget(buffer);
    if (this.#free + buffer.length > MAX_FREE) return;
    this.#free += buffer.length;
    (buffer.length === LARGE ? this.#large : this.#medium).push(buffer);
  }

  /** Ends a lease whose memory a write may still be reading: the collector takes it when that is over. */
  forget(buffer: Uint8Array): void {
    this.#leased -= buffer.length;
  }

  #lease(size: number): Uint8Array | undefined {
    if (this.#leased + size > MAX_LEASED) return undefined;
    this.#leased += size;
    const free = (size === LARGE ? this.#large : this.#medium).pop();
    if (free === undefined) return new Uint8Array(size);
    this.#free -= size;
    return free;
  }

  /**
   * Copies bytes off the landing so that they can be written. The copy's memory is used again by the next call,
   * unless {@linkcode BufferPool.keep} says that the write is still pending.
   */
  copy(length: number): Uint8Array {
    const small = length <= SMALL_LANDING.length;
    const free = small ? this.#smallCopies : this.#copies;
    if (free.length === 0) free.push(new Uint8Array(small ? SMALL_LANDING.length : LANDING.length));
    const bytes = free[free.length - 1]!.subarray(0, length);
    bytes.set(LANDING.subarray(0, length));
    return bytes;
  }

  /** Keeps the memory of the last copy, which was of `length` bytes, from being used again. */
  keep(length: number): Uint8Array {
    return (length <= SMALL_LANDING.length ? this.#smallCopies : this.#copies).pop()!;
  }

  /** Takes such memory back. */
  giveCopy(copy: Uint8Array): void {
    const free = copy.length === SMALL_LANDING.length ? this.#smallCopies : this.#copies;
    if (free.length < MAX_FREE_COPIES) free.push(copy);
  }
}

/** The pool that all relays of this process share. */
export const pool: BufferPool = new BufferPool();
