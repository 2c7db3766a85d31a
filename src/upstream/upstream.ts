/**
 * Ways out as an operator writes them.
 *
 * @module
 */

import type { ProxyLike } from "../client/proxy.ts";

/** A proxy to leave through, or a chain of them. */
export interface ChainUpstream {
  /**
   * The proxies, the nearest first: URLs such as `socks5h://ada:secret@proxy.example:1080` or `http://…`, or values. Names are
   * left to the last one that takes them (`socks4a`, `socks5h`, `http`), and resolved here for `socks4` and `socks5`.
   */
  readonly proxy: ProxyLike | readonly ProxyLike[];
  /**
   * The login at the last proxy, for each session anew: what stands in braces is replaced. `{user}` is the client's user
   * name (`anonymous` without one), `{listener}` the listener's name, `{session}` a random word for each session. So
   * sessions that differ in it share no identity there.
   *
   * @default What the URL says.
   */
  readonly isolate?: { readonly user: string; readonly password?: string | undefined } | undefined;
  /**
   * Certificates of the authorities that proxies with TLS may show, in PEM.
   *
   * @default Those that the runtime trusts.
   */
  readonly authorities?: readonly string[] | undefined;
}

/** The ways in which a group can choose among its members that are up. */
export const GROUP_CHOICES = [
  "first",
  "round-robin",
  "random",
  "weighted",
  "least-latency",
  "sticky-user",
  "sticky-target",
] as const satisfies readonly GroupChoice[];

/**
 * How a group chooses among its members that are up: the first of them, one after the other, anyone, in proportion to
 * their weights, the one that connects fastest; or always the same for a user (or a client's address, where there is no
 * user), or for a target's host.
 */
export type GroupChoice =
  | "first"
  | "round-robin"
  | "random"
  | "weighted"
  | "least-latency"
  | "sticky-user"
  | "sticky-target";

/** Several ways out, of which one is taken each time. */
export interface GroupUpstream {
  /** The names of its members: other ways out, or `direct`. With a weight for `weighted`: `{ name, weight }`. */
  readonly group: readonly (string | { readonly name: string; readonly weight: number })[];
  /**
   * How it chooses. `first` is fail-over: the first member that is up.
   *
   * @default {"first"}
   */
  readonly choose?: GroupChoice | undefined;
  /** How it learns which members are up. */
  readonly check?: HealthCheck | undefined;
}

/** How a group learns which of its members are up. A failed connection counts as well. */
export interface HealthCheck {
  /**
   * What to connect to, as `HOST:PORT`. It is closed at once.
   *
   * @default None: only real sessions tell.
   */
  readonly target?: string | undefined;
  /**
   * How often, in milliseconds; a member that is down is checked after pauses that grow.
   *
   * @default {10_000}
   */
  readonly every?: number | undefined;
  /**
   * How long a check may take, and how long a member's proxies may take to do their part in a session before the next
   * member is tried, in milliseconds.
   *
   * @default {5_000}
   */
  readonly timeout?: number | undefined;
  /**
   * The longest pause before a member that is down is tried again, in milliseconds. The first is `every`, and each is
   * twice as long as the one before.
   *
   * @default {300_000}
   */
  readonly longestPause?: number | undefined;
}

/** A way out, by its name. `direct` and `block` are names of their own: no proxy, and nothing at all. */
export type Upstream = ChainUpstream | GroupUpstream;
