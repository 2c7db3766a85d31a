/**
 * Authentication methods of SOCKS5, on the client's side.
 *
 * @module
 */

import type { Encapsulation, MethodChannel } from "../auth/method.ts";
import type { Abortable } from "../runtime/runtime.ts";
import type { Proxy } from "./proxy.ts";

/** What a method may ask about. */
export interface ClientMethodContext {
  /** The proxy. */
  readonly proxy: Proxy;
  /** Aborts when it is to end; the connection is closed then. */
  readonly signal?: Abortable | undefined;
}

/** A METHOD of RFC 1928 section 3, as a client speaks it. One of your own has a code of 80 to FE. */
export interface ClientMethod {
  /** Its number, 00 to FE. */
  readonly code: number;
  /** What messages call it. */
  readonly name: string;
  /**
   * Runs the subnegotiation, after the proxy has chosen the method.
   *
   * @param channel The proxy.
   * @param context Which proxy that is.
   * @returns What is put around all that follows.
   * @throws {NetError} If the proxy will not have it.
   */
  negotiate(channel: MethodChannel, context: ClientMethodContext): Promise<Encapsulation>;
}
