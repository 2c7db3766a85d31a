/**
 * What a server can be told.
 *
 * @module
 */

import type { AuthOptions } from "../auth/auth_options.ts";
import type { Authenticate } from "../auth/authenticate.ts";
import type { UserEntry } from "../auth/user_list.ts";
import type { IpAddress } from "../net/address.ts";
import type { Limit, LoginLimit, StoreOptions } from "../policy/limit.ts";
import type { Rule } from "../policy/rule.ts";
import type { Rules } from "../policy/rules.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { WayHealth } from "../upstream/group_surroundings.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Dial } from "./dial.ts";
import type { Forward } from "./forward.ts";
import type { ListenAddress } from "./listen_address.ts";
import type { MethodChoice } from "./methods.ts";
import type { Observer } from "./observer.ts";
import type { OutgoingOptions } from "./outgoing.ts";
import type { Resolve } from "./resolve.ts";
import type { ResolverOptions } from "./resolver.ts";
import type { Reverse } from "./reverse.ts";

/** The time each phase of a session has, in milliseconds. 0 means no limit. */
export interface Timeouts {
  /**
   * From accept to the end of the greeting, and for the request after it.
   *
   * @default {30_000}
   */
  readonly handshake: number;
  /**
   * For the username/password exchange, the check of it, and for IDENT.
   *
   * @default {30_000}
   */
  readonly authentication: number;
  /**
   * For resolving a name.
   *
   * @default {15_000}
   */
  readonly lookup: number;
  /**
   * For connecting, over all addresses of a name. SOCKS4 asks for two minutes.
   *
   * @default {120_000}
   */
  readonly connect: number;
  /**
   * For the peer of a BIND to come. SOCKS4 asks for two minutes.
   *
   * @default {120_000}
   */
  readonly bind: number;
  /**
   * Without a byte in either direction, or a datagram.
   *
   * @default {7_200_000}
   */
  readonly idle: number;
  /**
   * Without a byte after one direction has ended; never more than `idle`.
   *
   * @default {300_000}
   */
  readonly halfClosed: number;
}

/** Bounds on what one server holds, whoever its clients are. */
export interface Bounds {
  /**
   * Sessions at once; further clients wait to be accepted.
   *
   * @default {Infinity}
   */
  readonly sessions: number;
  /**
   * UDP associations at once; further requests get REP 01.
   *
   * @default {1024}
   */
  readonly associations: number;
  /**
   * Destinations remembered by one association; the oldest is forgotten.
   *
   * @default {512}
   */
  readonly destinations: number;
  /**
   * Names that one association has being resolved at once; datagrams to further ones are dropped.
   *
   * @default {16}
   */
  readonly lookups: number;
}

/** Ports, both ends included. */
export interface PortRange {
  /** The lowest, 1 to 65535. */
  readonly from: number;
  /** The highest, at least `from`. */
  readonly to: number;
}

/** How sessions are handled, wherever their connections come from. */
export interface HandleOptions {
  /** Users who may log in. With users (or {@linkcode authenticate}) nobody is served without a login. */
  readonly users?: readonly UserEntry[] | undefined;
  /** A check of your own, in place of {@linkcode users}. */
  readonly authenticate?: Authenticate | undefined;
  /** Ways to log in other than by password. */
  readonly auth?: AuthOptions | undefined;
  /**
   * The methods that SOCKS5 clients may choose from, best first: by name, or of your own. Clients that come another way
   * than SOCKS5 need a password where it has one, are served without a login where it has `none` and no password, and not
   * at all otherwise.
   *
   * @default Those of `gssapi`, `chap` and `password` that are configured, or else `none`.
   */
  readonly methods?: readonly MethodChoice[] | undefined;
  /** Others for the clients of a listener, by the listener's name. */
  readonly listenerMethods?: Readonly<Record<string, readonly MethodChoice[]>> | undefined;
  /**
   * Takes the user id of a SOCKS4 client that no IDENT confirmed for the name of a user. It is a claim and no more.
   *
   * @default {false}
   */
  readonly trustUserIds?: boolean | undefined;
  /**
   * What becomes of clients that cannot log in; `false` lets them try for ever.
   *
   * @default What {@linkcode LoginLimit} says.
   */
  readonly logins?: LoginLimit | false | undefined;
  /** Access control, before the safe defaults: a list of which the first that applies decides, or functions of your own. */
  readonly rules?: readonly Rule[] | Rules | undefined;
  /**
   * What holds where no rule of the list applies: `safe` leaves it to the safe defaults, `allow` overrides them.
   *
   * @default {"safe"}
   */
  readonly otherwise?: "safe" | "allow" | "deny" | undefined;
  /** How many sessions, how fast and how much: for everybody, for each user, … */
  readonly limits?: readonly Limit[] | undefined;
  /**
   * Where counts are kept that outlive a process or are shared among several.
   *
   * @default Memory.
   */
  readonly store?: StoreOptions | undefined;
  /** Is told when the store can no longer be reached, and when it can again. */
  readonly onStore?: ((state: "away" | "back", reason: string) => void) | undefined;
  /**
   * How names become addresses. `false` leaves names to {@linkcode dial}: then nobody checks where they lead.
   *
   * @default The system's resolver, or what {@linkcode resolver} says.
   */
  readonly resolve?: Resolve | false | undefined;
  /**
   * Name servers to ask, names of your own, and a cache.
   *
   * @default The system's resolver, asked each time.
   */
  readonly resolver?: ResolverOptions | undefined;
  /**
   * How addresses become names, for RESOLVE_PTR.
   *
   * @default The same as for {@linkcode resolver}; with a {@linkcode resolve} of your own, or `false`, not at all.
   */
  readonly reverse?: Reverse | undefined;
  /**
   * Whether clients may ask for lookups alone: Tor's RESOLVE (SOCKS4, 4a and 5) and RESOLVE_PTR (SOCKS5). Rules decide on
   * them as on `resolve`, a lookup counts as a session, and clients on other machines learn no private addresses unless a
   * rule lets them reach those. Of a name that is left to a way out the other end is asked, if that is a SOCKS proxy; if
   * not, that is refused.
   *
   * @default Those on this machine; nobody where any of {@linkcode upstreams} leaves names to others.
   */
  readonly resolveCommands?: boolean | undefined;
  /**
   * What connections and datagrams to targets leave from. A dialler of your own gets it to do as it likes.
   *
   * @default The system chooses.
   */
  readonly outgoing?: OutgoingOptions | undefined;
  /**
   * How targets are connected to.
   *
   * @default Directly, racing the checked addresses (RFC 8305).
   */
  readonly dial?: Dial | undefined;
  /** Ways out, by name, for rules (`via`) and {@linkcode via}. `direct` and `block` are there by themselves. */
  readonly upstreams?: Readonly<Record<string, Upstream>> | undefined;
  /**
   * The way out of what no rule says another for. One that leaves names to the other end has them looked up nowhere
   * here: see {@linkcode Rule.to}.
   *
   * @default {"direct"}
   */
  readonly via?: string | undefined;
  /** Is told when a member of a group among {@linkcode upstreams} goes down, and when it comes back. */
  readonly onHealth?: ((health: WayHealth) => void) | undefined;
  /** Is told of each session. */
  readonly observer?: Observer | undefined;
  /** The time each phase has. */
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Bounds on what the server holds. */
  readonly bounds?: Partial<Bounds> | undefined;
  /**
   * Lets clients that are not on loopback reach loopback, private, link-local and multicast addresses and the server's
   * own listeners.
   *
   * @default {false}
   */
  readonly allowPrivate?: boolean | undefined;
  /**
   * Serves HTTP proxying on the same ports: CONNECT and requests in absolute form, with the same users, rules and limits.
   *
   * @default Whether every listener is on loopback; `false` for `handle`.
   */
  readonly mixed?: boolean | undefined;
  /**
   * Asks identd (RFC 1413) on the client's host whether a SOCKS4 user id is true; CD 92 and 93 if not.
   *
   * @default {false}
   */
  readonly ident?: boolean | undefined;
  /** The address that BIND and UDP ASSOCIATE replies state, where clients reach the server at another than its own. */
  readonly advertise?: IpAddress | undefined;
  /**
   * The ports that UDP associations take clients' datagrams on.
   *
   * @default Any.
   */
  readonly udpPorts?: PortRange | undefined;
  /**
   * The system to run on.
   *
   * @default The one that runs this.
   */
  readonly runtime?: Runtime | undefined;
}

/** How a server is made. */
export interface ServeOptions extends HandleOptions {
  /**
   * Where to listen: `HOST:PORT`, `[IPv6]:PORT`, `unix:PATH`, or the same in parts; or the descriptor of a socket that
   * listens already. Port 0 lets the system choose. A host's name means all of its addresses.
   *
   * @default {"127.0.0.1:1080"}
   */
  readonly listen?: ListenAddress | readonly ListenAddress[] | undefined;
  /** Ports that lead to one target each, with the same rules and limits. Without `listen` there are these alone. */
  readonly forwards?: readonly Forward[] | undefined;
  /**
   * Serves anyone who reaches a listener that is not on loopback, without users.
   *
   * @default {false}
   */
  readonly open?: boolean | undefined;
}

/** The defaults of {@linkcode Timeouts}. */
export const DEFAULT_TIMEOUTS: Timeouts = {
  handshake: 30_000,
  authentication: 30_000,
  lookup: 15_000,
  connect: 120_000,
  bind: 120_000,
  idle: 7_200_000,
  halfClosed: 300_000,
};

/** The defaults of {@linkcode Bounds}. */
export const DEFAULT_BOUNDS: Bounds = { sessions: Infinity, associations: 1024, destinations: 512, lookups: 16 };
