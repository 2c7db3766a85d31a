/**
 * The seam for whoever wants to know.
 *
 * @module
 */

import type { ClientInfo, User } from "../auth/client_info.ts";
import type { SocketAddress } from "../net/address.ts";
import type { CommandName, ProtocolName } from "../policy/rules.ts";
import type { Target } from "../protocol/address.ts";

/**
 * A session as far as it has come. Where a client forwards requests to several origins over one HTTP connection, each
 * stretch of it that leads to one is a session.
 */
export interface SessionInfo extends ClientInfo {
  /** The dialect of SOCKS, or HTTP, once the request is read. */
  readonly protocol: ProtocolName | undefined;
  /** Who the client is, once it has proven it. */
  readonly user: User | undefined;
  /** What the client asked for. */
  readonly command: CommandName | undefined;
  /** What it asked for it to be done with. */
  readonly target: Target | undefined;
  /**
   * The address at the other end, once connected, as far as it is known: where the name is left to a way out it is not.
   * For a UDP association where the client sends to.
   */
  readonly address: SocketAddress | undefined;
  /** The way out that it takes, by name; absent for the direct one. */
  readonly via?: string | undefined;
  /** The member of it that connected, by name, where it is a group: `outer/inner` of groups within groups. */
  readonly viaMember?: string | undefined;
  /** The name of the rule that decided, if one did. */
  readonly rule: string | undefined;
  /** Whether that rule wants the session logged: `all` if it does not say. */
  readonly log: "none" | "refused" | "all";
}

/** Why a session could not do what it was asked. */
export interface Refusal {
  /**
   * `authentication`, `rules` (or limits), `protocol` (bytes that no RFC allows) or `network` (the dial failed, or the
   * check of a login did: the client has not been found to be nobody).
   */
  readonly cause: "authentication" | "rules" | "protocol" | "network";
  /** The reason in words. It may quote what the client sent, escaped. */
  readonly reason: string;
  /** The error behind it, where there is one. */
  readonly error?: unknown;
}

/**
 * How a session ended: `finished` when both directions closed in order, `refused` after a refusal, `health-check` if the
 * client left before its first byte, `vanished` if it left in the middle of the handshake or of a wait, `not-socks` for
 * another protocol, `timeout`, `limit` if it lasted too long or used too much, `revoked` if it is not allowed any more
 * after the server was told new options, `reset` by either side, `shutdown` of the server, `error` for the rest.
 */
export type CloseCause =
  | "finished"
  | "refused"
  | "health-check"
  | "vanished"
  | "not-socks"
  | "timeout"
  | "limit"
  | "revoked"
  | "reset"
  | "shutdown"
  | "error";

/** The account of a session. */
export interface SessionSummary {
  /** Payload bytes from the client to the target. */
  readonly sent: number;
  /** Payload bytes from the target to the client. */
  readonly received: number;
  /** From accept to end, in milliseconds. */
  readonly duration: number;
  /** How it ended. */
  readonly cause: CloseCause;
  /** Why, in words, unless it just finished. */
  readonly reason: string | undefined;
}

/**
 * Is told of each session. Every function is optional, is called once at most for a session (in this order) and must
 * not throw: what it throws is dropped.
 *
 * @example Count bytes
 * ```ts
 * import { serve } from "@x/socks";
 *
 * let bytes = 0;
 * await using server = await serve({
 *   listen: "127.0.0.1:0",
 *   observer: { closed: (_session, { sent, received }) => bytes += sent + received },
 * });
 * ```
 */
export interface Observer {
  /** A client was accepted. */
  opened?(session: SessionInfo): void;
  /** It proved to be `session.user`. */
  authenticated?(session: SessionInfo): void;
  /** It asked for `session.command` with `session.target`. */
  requested?(session: SessionInfo): void;
  /** It will not get that. */
  refused?(session: SessionInfo, refusal: Refusal): void;
  /** It got it: `session.address` is at the other end. */
  connected?(session: SessionInfo): void;
  /** The session is over. */
  closed?(session: SessionInfo, summary: SessionSummary): void;
}
