/**
 * Memory for many small pieces.
 *
 * @module
 */

/**
 * Gives out pieces of a larger buffer, each once: a piece costs a view instead of memory of its own. The buffer lives for
 * as long as one of its pieces does.
 */
export class Slab {
  readonly #size: number;
  #buffer: ArrayBuffer = new ArrayBuffer(0);
  #used = 0;

  /** @param size How many bytes to get at once. */
  constructor(size: number) {
    this.#size = size;
  }

  /**
   * A piece with whatever bytes are in it.
   *
   * @param length How many bytes.
   */
  take(length: number): Uint8Array<ArrayBuffer> {
    const piece = this.peek(length);
    this.#used += length;
    return piece;
  }

  /** The next piece of at least this many bytes, which stays the next one until {@linkcode Slab.keep} says how many were used. */
  peek(length: number): Uint8Array<ArrayBuffer> {
    if (this.#used + length > this.#buffer.byteLength) {
      this.#buffer = new ArrayBuffer(Math.max(this.#size, length));
      this.#used = 0;
    }
    return new Uint8Array(this.#buffer, this.#used, length);
  }

  /** Gives out that many bytes of what {@linkcode Slab.peek} showed. */
  keep(length: number): void {
    this.#used += length;
  }
}
