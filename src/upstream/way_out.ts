/**
 * The ways that a server's clients leave by.
 *
 * @module
 */

import type { SocketAddress } from "../net/address.ts";
import type { RequestInfo } from "../policy/rules.ts";
import type { Target } from "../protocol/address.ts";
import type { Connection, Duplex, Runtime } from "../runtime/runtime.ts";

/** What a way out may use. */
export interface WayContext {
  /** The request, and who makes it. */
  readonly request: RequestInfo;
  /** Ends the attempt when it aborts, with its reason. */
  readonly signal: AbortSignal;
  /** The system. */
  readonly runtime: Runtime;
  /**
   * Whether the target's name is left to the other end. If not it was looked up here, and the rules were asked about its
   * addresses: go to one of these, however well the other end could resolve it.
   */
  readonly keepsName: boolean;
  /**
   * The target's addresses that the rules allow, best first. Nobody calls it for a name that is left to the other end,
   * so that no lookup is seen.
   *
   * @throws {NetError} If there is none.
   */
  addresses(): Promise<readonly SocketAddress[]>;
  /**
   * Is to be called when all proxies have done their part, and what is waited for is the target: a group goes on to its
   * next member where this does not come in time.
   */
  asked?(): void;
}

/** A connection to a target. */
export interface WayOpened {
  /** The connection itself. A plain socket stays one, so that its relay is as cheap as without a proxy. */
  readonly connection: Connection & Duplex;
  /** The address that the target sees, as far as it is known. */
  readonly bound?: Target | undefined;
  /** The member of a group that did it, by name; with a group in a group `outer/inner`. */
  readonly by?: string | undefined;
  /** The address of the target, as far as it is known. */
  readonly address?: SocketAddress | undefined;
}

/** A listener for one peer, somewhere else. */
export interface WayBinding {
  /** Where the peer is to connect to. */
  readonly address: Target;
  /**
   * Waits for the peer. Once: there is one.
   *
   * @throws {ProxyError} If none comes, or another than was expected.
   */
  accept(signal: AbortSignal): Promise<WayOpened & { readonly peer: Target }>;
  /** Ends the listening. Idempotent. */
  close(): void;
}

/** A way for datagrams. */
export interface WayTunnel {
  /** Sends a datagram or, as the network may, loses it. The bytes may be changed afterwards. */
  send(data: Uint8Array, to: Target): void;
  /** Fulfilled when it has ended by itself. */
  readonly closed: Promise<void>;
  /** Ends it. Idempotent. */
  close(): void;
}

/** A way to targets through somebody else. The direct way is none: what serves without one connects itself. */
export interface WayOut {
  /** What rules and logs call it. */
  readonly name: string;
  /** Whether names are left to the other end. */
  readonly keepsNames: boolean;
  /** Whether each session has a login of its own there: one that is refused says nothing of the way then. */
  readonly isolates?: boolean | undefined;
  /**
   * Connects.
   *
   * @throws {NetError} Or {@linkcode ProxyError}. Its `reply`, or else its `code`, chooses the reply to the client.
   */
  connect(target: Target, context: WayContext): Promise<WayOpened>;
  /** Listens for a peer; zeros expect anyone. Absent if it cannot. */
  bind?(expected: Target, context: WayContext): Promise<WayBinding>;
  /** Opens a way for datagrams; `onDatagram` owns what it is given. Absent if it cannot. */
  associate?(context: WayContext, onDatagram: (data: Uint8Array, source: Target) => void): Promise<WayTunnel>;
  /**
   * Asks the other end for the address of a name, or for the name of an address. Absent if it cannot.
   *
   * @throws {NetError} Or {@linkcode ProxyError}, as from `connect`.
   */
  lookup?(target: Target, context: WayContext): Promise<Target>;
  /** A member of it, by name. Absent if it is no group. */
  member?(name: string): WayOut | undefined;
  /** Ends what it does by itself, such as health checks. */
  close?(): void;
}
