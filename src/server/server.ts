/**
 * Listeners, their sessions and their end.
 *
 * @module
 */

import type { SocketAddress, UnixAddress } from "../net/address.ts";
import type { ServeOptions } from "./options.ts";

/** A running server. */
export interface Server extends AsyncDisposable {
  /** Where it listens, in the order asked for, with real ports. */
  readonly addresses: readonly (SocketAddress | UnixAddress)[];
  /** How many sessions are open. */
  readonly sessions: number;
  /** Fulfilled when the server has stopped and its last session is over. */
  readonly closed: Promise<void>;
  /** Stops listening and ends every session at once. */
  close(): Promise<void>;
  /**
   * Stops listening, lets the sessions finish, and ends those still open after the deadline.
   *
   * @param deadline In milliseconds; without one it waits for as long as they take.
   */
  drain(deadline?: number): Promise<void>;
}

export declare function serve(options?: ServeOptions): Promise<Server>;
