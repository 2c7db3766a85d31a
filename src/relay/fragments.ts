/**
 * Reassembly of fragmented datagrams (RFC 1928 section 7).
 *
 * @module
 */

import { LAST_FRAGMENT, type SocksDatagram } from "../protocol/udp.ts";

/** The RFC asks for at least 5 seconds. */
const REASSEMBLY_TIME = 10_000;
/** No UDP payload is longer. */
const MAX_PAYLOAD = 65_507;

/**
 * The REASSEMBLY QUEUE of one association. Its memory is bounded by the longest UDP payload; its timer needs no clock
 * of its own, since an expired queue matters only when the next fragment comes.
 */
export class Fragments {
  #parts: Uint8Array[] = [];
  #size = 0;
  #highest = 0;
  #startedAt = 0;
  #target = "";

  /**
   * Adds a fragment, in order.
   *
   * @param datagram A datagram whose FRAG is not 0. Its data is copied.
   * @param now The time in milliseconds, of any steady clock.
   * @returns The whole payload once the last fragment is there.
   */
  add(datagram: SocksDatagram, now: number): Uint8Array | undefined {
    const position = datagram.fragment & ~LAST_FRAGMENT;
    const target = `${datagram.target.host} ${datagram.target.port}`;
    const isStale = now - this.#startedAt >= REASSEMBLY_TIME || target !== this.#target;
    if (position === 1 || isStale) this.#reset();
    else if (position === this.#highest) return undefined; // a duplicate
    if (position !== this.#highest + 1 || this.#size + datagram.data.length > MAX_PAYLOAD) {
      this.#reset(); // a lower one begins another sequence, a gap can never be filled: either way this one is lost
      return undefined;
    }
    if (position === 1) {
      this.#startedAt = now;
      this.#target = target;
    }
    this.#highest = position;
    this.#size += datagram.data.length;
    this.#parts.push(datagram.data.slice());
    if ((datagram.fragment & LAST_FRAGMENT) === 0) return undefined;
    const whole = new Uint8Array(this.#size);
    let offset = 0;
    for (const part of this.#parts) {
      whole.set(part, offset);
      offset += part.length;
    }
    this.#reset();
    return whole;
  }

  #reset(): void {
    this.#parts = [];
    this.#size = 0;
    this.#highest = 0;
  }
}
