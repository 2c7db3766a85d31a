/**
 * Ports that lead to one target, as `ssh -L` opens them.
 *
 * @module
 */

import type { ListenAddress } from "./listen_address.ts";

/** A port that leads to one target. */
export interface Forward {
  /** Where to listen: see `ServeOptions.listen`. UDP needs an IP address and a port. */
  readonly listen: ListenAddress;
  /** Where it leads, as `HOST:PORT`. A name is resolved for each session. */
  readonly to: string;
  /**
   * What it carries.
   *
   * @default {"tcp"}
   */
  readonly protocol?: "tcp" | "udp" | undefined;
  /** The way out that it takes, by name, unless a rule says another. */
  readonly via?: string | undefined;
}
