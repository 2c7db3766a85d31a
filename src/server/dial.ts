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

/** A connection, and what else a dialler knows of it. */
export interface Dialled {
  /** The connection. */
  readonly connection: StreamPair | Connection;
  /**
   * The address that the target sees, for the reply to the client.
   *
   * @default The connection's `local`.
   */
  readonly bound?: Target | undefined;
  /**
   * The address at the other end, for logs.
   *
   * @default The connection's `remote`.
   */
  readonly address?: SocketAddress | undefined;
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
export type Dial = (target: Target, context: DialContext) => Promise<StreamPair | Connection | Dialled>;

/** A dialler that ends when its signal aborts. */
export type HeedfulDial = (
  target: Target,
  context: DialContext,
) => Promise<Dialled & { readonly connection: Connection }>;

/**
 * Makes sure that a dialler of somebody's ends when its signal aborts, and that a connection which comes too late is
 * closed.
 */
export function heedSignal(dial: Dial): HeedfulDial {
  return (target, context) => {
    const { signal } = context;
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason);
      if (signal.aborted) return abort();
      signal.addEventListener("abort", abort, { once: true });
      const run = async () => {
        const dialled = await dial(target, context);
        const { bound, address, ...all } = "connection" in dialled ? dialled : { connection: dialled };
        const connection = duplexOf(all.connection);
        return { connection, bound, address };
      };
      run().then((dialled) => {
        signal.removeEventListener("abort", abort);
        if (signal.aborted) dialled.connection.close();
        else resolve(dialled);
      }, (error) => {
        signal.removeEventListener("abort", abort);
        reject(error);
      });
    });
  };
}
