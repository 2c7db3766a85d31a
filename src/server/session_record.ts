/**
 * What is known of a session.
 *
 * @module
 */

import type { User } from "../auth/client_info.ts";
import { isUnixAddress, type SocketAddress, type UnixAddress } from "../net/address.ts";
import { classifyIp } from "../net/ip_class.ts";
import type { CommandName, Denial, Grant, ProtocolName } from "../policy/rules.ts";
import type { Target } from "../protocol/address.ts";
import type { Connection, Duplex, StreamPair } from "../runtime/runtime.ts";
import { Channel } from "../stream/channel.ts";
import { duplexOf } from "../stream/duplex_of.ts";
import type { WayOut } from "../upstream/way_out.ts";
import type { Observer, SessionInfo } from "./observer.ts";
import type { Service } from "./service.ts";

/** Who the client is, what it asked for and what became of it so far; and whom to tell. */
export abstract class SessionRecord implements SessionInfo {
  service: Service;
  /** The client's connection. */
  connection: Connection & Duplex;
  channel: Channel;
  readonly id: number;
  readonly openedAt: number = Date.now();
  /** When the session was opened, by the clock that never goes back. */
  readonly startedAt: number = performance.now();
  readonly client: SocketAddress | undefined;
  readonly listener: SocketAddress | UnixAddress | undefined;
  readonly listenerName: string | undefined;
  readonly isLocal: boolean;
  protocol: ProtocolName | undefined;
  user: User | undefined;
  command: CommandName | undefined;
  target: Target | undefined;
  address: SocketAddress | undefined;
  /** The way out that it takes, once that is chosen; absent for the direct one. */
  way: WayOut | undefined;
  /** Which member of it, where it is a group. */
  viaMember: string | undefined;
  /** Whether it owes its client nothing, which may ask again or leave. */
  isResting = false;
  /** Whether no request may follow the one that it serves. */
  isLast = false;
  /** What the rules decided. */
  ruling: Grant | Denial | undefined;
  sent = 0;
  received = 0;
  /** Datagrams both ways, which may be empty. */
  datagrams = 0;

  constructor(
    service: Service,
    connection: Connection | StreamPair,
    listener: SocketAddress | UnixAddress | undefined,
    listenerName?: string,
    channel?: Channel,
  ) {
    this.service = service;
    this.connection = duplexOf(connection);
    this.channel = channel ?? new Channel(this.connection);
    this.id = service.nextId();
    this.client = this.connection.remote;
    this.listener = listener;
    this.listenerName = listenerName;
    this.isLocal = this.client === undefined
      ? listener !== undefined && isUnixAddress(listener)
      : classifyIp(this.client.ip) === "loopback";
  }

  /** Aborts when the session ends or is stopped. */
  abstract get signal(): AbortSignal;

  get rule(): string | undefined {
    return this.ruling?.rule;
  }

  get via(): string | undefined {
    return this.way?.name;
  }

  get log(): "none" | "refused" | "all" {
    return this.ruling?.log ?? "all";
  }

  /** Tells the observer. What becomes of that is its own affair: it is told, not asked. */
  tell<Event extends keyof Observer>(event: Event, ...details: Details<Event>): void {
    const listener = this.service.observer[event] as
      | ((session: SessionInfo, ...details: unknown[]) => unknown)
      | undefined;
    if (listener === undefined) return;
    try {
      const result = listener.call(this.service.observer, this, ...details);
      if (result instanceof Promise) result.catch(() => {});
    } catch {
      // See above.
    }
  }
}

/** What an event tells beside the session. */
type Details<Event extends keyof Observer> = Parameters<NonNullable<Observer[Event]>> extends [unknown, ...infer Rest]
  ? Rest
  : never;
