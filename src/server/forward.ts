/**
 * Ports that lead to one target, as `ssh -L` opens them.
 *
 * @module
 */

import type { SocketAddress, UnixAddress } from "../net/address.ts";
import type { ListenAddress } from "./listen_address.ts";

/**
 * A port that leads to one target. Its clients say nothing of themselves, so nobody can log in there: rules for users
 * and groups do not apply to them, all others do.
 */
export interface Forward {
  /** Where to listen: see `ServeOptions.listen`. UDP needs an IP address, or a name, and a port. */
  readonly listen: ListenAddress;
  /** Where it leads, as `HOST:PORT`. A name is resolved for each session. The safe defaults do not stand in the way. */
  readonly to: string;
  /**
   * What it carries. With `udp` each client address has an association of its own, and gets what the target sends back
   * and nothing else.
   *
   * @default {"tcp"}
   */
  readonly protocol?: "tcp" | "udp" | undefined;
  /** The way out that it takes, by name, unless a rule says another. */
  readonly via?: string | undefined;
  /**
   * Serves anyone who reaches it, though it is not on loopback. `ServeOptions.open` says it for all.
   *
   * @default {false}
   */
  readonly open?: boolean | undefined;
  /**
   * How long a session may go without a byte or a datagram, in milliseconds; never longer than `timeouts.idle`. 0 leaves
   * it to that.
   *
   * @default {0} for TCP; 300_000 for UDP, whose clients never say that they are done; 30_000 for UDP to port 53.
   */
  readonly idle?: number | undefined;
}

/** A forward of a running server. */
export interface OpenForward {
  /** Where it listens, with the real port. */
  readonly address: SocketAddress | UnixAddress;
  /** What it carries. */
  readonly protocol: "tcp" | "udp";
  /** Where it leads, as `HOST:PORT`. */
  readonly to: string;
  /** The way out that it takes unless a rule says another, if it names one. */
  readonly via: string | undefined;
}
