/**
 * How fast a session may go.
 *
 * @module
 */

import type { Pace } from "../runtime/runtime.ts";
import { Flow } from "./flow.ts";
import type { Pacer } from "./pacer.ts";
import type { TokenBucket } from "./token_bucket.ts";

/** The pace of one session: that of all buckets that it goes through, each way. */
export class SessionPace implements Pace {
  readonly #up: Flow;
  readonly #down: Flow;

  /**
   * @param up The buckets for bytes from the client.
   * @param down The buckets for bytes to the client.
   * @param pacer The pacer of all these.
   */
  constructor(up: readonly TokenBucket[], down: readonly TokenBucket[], pacer: Pacer) {
    this.#up = new Flow(up, pacer);
    this.#down = new Flow(down, pacer);
  }

  /** Takes leave to write. */
  take(wanted: number, up: boolean): number {
    return (up ? this.#up : this.#down).take(wanted);
  }

  /**
   * Takes leave for a datagram.
   *
   * @param size How many bytes it has.
   * @param up Whether it goes from the client to its target.
   * @returns Whether it may go; if not it is to be dropped. Nothing is taken for a dropped one.
   */
  takeAll(size: number, up: boolean): boolean {
    return (up ? this.#up : this.#down).takeAll(size);
  }

  /** Calls back once, later, when `take` will give some. */
  wait(up: boolean, callback: () => void): void {
    (up ? this.#up : this.#down).wait(callback);
  }

  /** Ends it: gives back what was not used. What is asked from now on is free. */
  end(): void {
    this.#up.end();
    this.#down.end();
  }
}
