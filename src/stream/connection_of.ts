/**
 * A connection from any pair of streams.
 *
 * @module
 */

import type { Connection } from "../runtime/runtime.ts";

/** The least that can be relayed: two web streams. */
export interface StreamPair {
  /** What the other end sends. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What the other end receives. */
  readonly writable: WritableStream<Uint8Array>;
}

/**
 * Completes a pair of streams to a {@linkcode Connection}; a connection is returned as it is. Closing what has only
 * streams cancels the one and aborts the other.
 */
export function connectionOf(pair: StreamPair | Connection): Connection {
  if ("close" in pair && "closed" in pair) return pair;
  const { readable, writable } = pair;
  let finish = (): void => {};
  const closed = new Promise<void>((resolve) => finish = resolve);
  return {
    readable,
    writable,
    closed,
    close(reason) {
      // A stream that somebody holds a lock on cannot be cancelled from here: its holder does that.
      if (!readable.locked) readable.cancel(reason).catch(() => {});
      if (!writable.locked) writable.abort(reason).catch(() => {});
      finish();
    },
  };
}
