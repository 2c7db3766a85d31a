/**
 * Being connected to through proxies.
 *
 * @module
 */

import { NO_ADDRESS, type Target } from "../protocol/address.ts";
import { Command } from "../protocol/constants.ts";
import type { Connection, Duplex } from "../runtime/runtime.ts";
import { type ClientOptions, inTime, readTarget, type TargetLike } from "./client_options.ts";
import { deadline } from "./deadline.ts";
import { dialThrough } from "./dial_through.ts";
import { awaitPeer } from "./handshake.ts";
import type { Proxy } from "./proxy.ts";
import { reachable } from "./reachable.ts";

/** How long to wait for a peer. */
export interface AcceptOptions {
  /** Gives up when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How long to wait, in milliseconds.
   *
   * @default For as long as the proxy does.
   */
  readonly timeout?: number | undefined;
}

/** Who came. */
export interface Accepted {
  /** The connection to the peer. */
  readonly connection: Connection & Duplex;
  /** The peer's address, as the proxy says. */
  readonly peer: Target;
}

/**
 * Has the last proxy listen for one peer.
 *
 * @param expected Who is to come, as far as that is known: the proxy may insist on it. Its port is of no account.
 * @param options The proxy, and how. The time limit is for the listening, not for the peer.
 * @throws {ProxyError} Whatever goes wrong on the way.
 */
export function bind(expected: TargetLike | undefined, options: ClientOptions): Promise<Binding> {
  return inTime(options, async (hops, context) => {
    const target = expected === undefined ? NO_ADDRESS : readTarget(expected);
    const { connection, bound } = await dialThrough(hops, target, { ...context, command: Command.BIND });
    return new Binding(connection, hops, reachable(bound, hops, connection));
  });
}

/** A proxy that listens for a peer. */
export class Binding {
  /** Where the peer is to connect to. */
  readonly address: Target;
  readonly #connection: Connection & Duplex;
  readonly #hops: readonly Proxy[];

  /**
   * See {@linkcode bind}.
   *
   * @param connection The way to the last proxy.
   * @param hops The proxies.
   * @param address Where the peer is to connect to.
   */
  constructor(connection: Connection & Duplex, hops: readonly Proxy[], address: Target) {
    this.#connection = connection;
    this.#hops = hops;
    this.address = address;
  }

  /**
   * Waits for the peer. Once: there is one.
   *
   * @throws {ProxyError} If none comes, or another than was expected.
   */
  async accept(options: AcceptOptions = {}): Promise<Accepted> {
    const limit = deadline(options.signal, options.timeout);
    const hop = this.#hops.length - 1;
    try {
      const { connection, bound } = await awaitPeer(this.#connection, this.#hops[hop]!, { hop, signal: limit.signal });
      return { connection, peer: bound };
    } finally {
      limit.end();
    }
  }

  /** Ends the listening. */
  close(): void {
    this.#connection.close();
  }
}
