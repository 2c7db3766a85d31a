/**
 * The seam for outgoing connections.
 *
 * @module
 */

import type { SocketAddress } from "../net/address.ts";
import type { RequestInfo } from "../policy/rules.ts";
import type { Target } from "../protocol/address.ts";
import type { Connection, Runtime, StreamPair } from "../runtime/runtime.ts";
import { duplexOf } from "../stream/duplex_of.ts";
import type { Outgoing } from "./outgoing.ts";

/** What a dialler may use. */
export interface DialContext {
  /** The addresses of the target that passed the rules, best first. Empty only with `resolve: false`. */
  readonly addresses: readonly SocketAddress[];
  /** The request, and who makes it. */
  readonly request: RequestInfo;
  /** Aborts when the session ends or the connect timeout is over. */
  readonly signal: AbortSignal;
  /** The system, whose `connect` takes an address. */
  readonly runtime: Runtime;
  /** Where connections leave from; absent if the system chooses. */
  readonly outgoing?: Outgoing | undefined;
}

/**
 * Connects to a target. Dial one of `context.addresses`, not the name: they are what the rules have seen. Anything with
 * a `readable` and a `writable` will do.
 *
 * @throws {NetError} Its code chooses the reply.
 *
 * @example Everything goes to one place
 * ```ts
 * import { type Dial } from "@x/socks";
 * import { assertEquals } from "@std/assert";
 *
 * const dial: Dial = (_target, { runtime, signal }) => runtime.connect({ ip: "127.0.0.1", port: 8080 }, { signal });
 * assertEquals(typeof dial, "function");
 * ```
 */
export type Dial = (target: Target, context: DialContext) => Promise<StreamPair | Connection>;

/**
 * Makes sure that a dialler of somebody's ends when its signal aborts, and that a connection which comes too late is
 * closed.
 */
export function heedSignal(dial: Dial): (target: Target, context: DialContext) => Promise<Connection> {
  return (target, context) => {
    const { signal } = context;
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason);
      if (signal.aborted) return abort();
      signal.addEventListener("abort", abort, { once: true });
      const run = async () => duplexOf(await dial(target, context));
      run().then((connection) => {
        signal.removeEventListener("abort", abort);
        if (signal.aborted) connection.close();
        else resolve(connection);
      }, (error) => {
        signal.removeEventListener("abort", abort);
        reject(error);
      });
    });
  };
}
