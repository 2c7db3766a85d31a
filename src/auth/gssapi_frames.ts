/**
 * Messages of GSSAPI off a stream.
 *
 * @module
 */

import { NetError } from "../net/errors.ts";
import { decodeGssapiFrame, type GssapiFrame, MAX_GSSAPI_FRAME } from "../protocol/gssapi.ts";
import type { Duplex } from "../runtime/runtime.ts";

const NOTHING = new Uint8Array(0);

/** Reads one message after the other. Only one that came in parts is copied. */
export class GssapiFrames {
  readonly #duplex: Duplex;
  /** What was read and not looked at. */
  #chunk: Uint8Array = NOTHING;
  /** The beginning of a message whose end has not come, if there is one. */
  #parts: Uint8Array | undefined;
  #held = 0;

  /** @param duplex The stream. */
  constructor(duplex: Duplex) {
    this.#duplex = duplex;
  }

  /**
   * The next message, which is good until the one after it is asked for.
   *
   * @returns `null` at the end.
   * @throws {ProtocolError} For what is no message.
   * @throws {NetError} `closed` if the end comes in the middle of one; what reading throws.
   */
  async next(): Promise<GssapiFrame | null> {
    for (;;) {
      const frame = this.#held > 0 ? this.#complete() : this.#whole();
      if (frame !== undefined) return frame;
      const chunk = await this.#duplex.read();
      if (chunk === null && this.#held === 0) return null;
      if (chunk === null) {
        throw new NetError("closed", "Cannot read a GSSAPI message: the stream ended in the middle of it");
      }
      this.#chunk = chunk;
    }
  }

  /** A message that the chunk begins with; if it has a part alone, that is put aside. */
  #whole(): GssapiFrame | undefined {
    const decoded = decodeGssapiFrame(this.#chunk);
    if (decoded !== undefined) {
      this.#chunk = this.#chunk.subarray(decoded.length);
      return decoded.value;
    }
    this.#hold(this.#chunk.length);
    return undefined;
  }

  /** The message that was begun, with as much of the chunk as it lacks. */
  #complete(): GssapiFrame | undefined {
    if (this.#held < 4) this.#hold(Math.min(4 - this.#held, this.#chunk.length));
    const parts = this.#parts!;
    if (this.#held >= 4 && decodeGssapiFrame(parts.subarray(0, this.#held)) === undefined) {
      const lacking = 4 + (parts[2]! << 8 | parts[3]!) - this.#held;
      this.#hold(Math.min(lacking, this.#chunk.length));
    }
    const held = this.#held;
    const decoded = decodeGssapiFrame(parts.subarray(0, held));
    if (decoded === undefined) return undefined;
    this.#held = 0;
    // An abort is shorter than the four bytes that were taken; nothing that follows it matters.
    return decoded.value;
  }

  #hold(count: number): void {
    if (count === 0) return;
    this.#parts ??= new Uint8Array(MAX_GSSAPI_FRAME);
    this.#parts.set(this.#chunk.subarray(0, count), this.#held);
    this.#held += count;
    this.#chunk = this.#chunk.subarray(count);
  }
}
