/**
 * Who is at the other end of a session.
 *
 * @module
 */

import type { SocketAddress, UnixAddress } from "../net/address.ts";

/** What is known of a client before it has said anything. */
export interface ClientInfo {
  /** The session's number, counted from 1 in each server. */
  readonly id: number;
  /** When the session was opened, in milliseconds since the epoch. */
  readonly openedAt: number;
  /** The client's address; absent on a UNIX socket, or where a connection handed to `handle` has none. */
  readonly client: SocketAddress | undefined;
  /** The listener that accepted the client; absent for a connection handed to `handle`. */
  readonly listener: SocketAddress | UnixAddress | undefined;
  /** The name that the listener was given, if it was. */
  readonly listenerName?: string | undefined;
  /** Whether the client is on this machine: it came over loopback or a UNIX socket. */
  readonly isLocal: boolean;
  /** Aborts when the session ends or its phase runs out of time. */
  readonly signal: AbortSignal;
}

/** A user who has proven to be one. */
export interface User {
  /** The name that logs and rules see. */
  readonly name: string;
  /** The groups it belongs to, for rules and limits. */
  readonly groups?: readonly string[] | undefined;
  /** The method that named it, if it is one that others than the list of users vouch for: `gssapi`. */
  readonly by?: string | undefined;
  /** What that method calls it, such as a Kerberos principal. */
  readonly principal?: string | undefined;
}

/** Whether an answer names a user: a check in plain JavaScript may well say `null` or `false` for nobody. */
export function isUser(answer: unknown): answer is User {
  return typeof (answer as Partial<User> | null | undefined)?.name === "string";
}
