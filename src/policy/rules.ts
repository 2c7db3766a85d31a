/**
 * The seam for access control: may this client do that?
 *
 * @module
 */

import type { ClientInfo, User } from "../auth/client_info.ts";
import type { IpAddress, SocketAddress } from "../net/address.ts";
import type { Target } from "../protocol/address.ts";
import type { Limit } from "./limit.ts";

/** The commands of SOCKS, and Tor's: the address of a name, the name of an address. Rules take both for `resolve`. */
export type CommandName = "connect" | "bind" | "udp-associate" | "resolve" | "resolve-ptr";

/** The dialects of SOCKS, HTTP, and none at all: a client of a forward says nothing. */
export type ProtocolName = "socks4" | "socks4a" | "socks5" | "http" | "forward";

/** A request, and who makes it. */
export interface RequestInfo extends ClientInfo {
  /** The dialect of SOCKS, HTTP, or `forward`. */
  readonly protocol: ProtocolName;
  /** Who the client is, if it had to say. */
  readonly user: User | undefined;
  /** What it asks for. */
  readonly command: CommandName;
  /**
   * What it asks for it to be done with. For `bind` the peer it expects (zeros: any), for `udp-associate` the address
   * it will send from (zeros: not known); where its datagrams go is asked of {@linkcode Rules.datagram}. For a forward
   * where that leads, whatever the command.
   */
  readonly target: Target;
}

/** An address that the server is about to connect to, take a connection from or send a datagram to. */
export interface AddressInfo {
  /** What rules should look at: the IPv4 address within a v4-mapped, NAT64 or 6to4 one, else the address itself. */
  readonly ip: IpAddress;
  /** The port. */
  readonly port: number;
  /** The address as it will be dialled. */
  readonly address: SocketAddress;
  /** The name that it is an address of, as the client sent it; absent if the client sent the address. */
  readonly name?: string | undefined;
}

/** A datagram that the client wants sent. */
export interface DatagramInfo {
  /** Where to: by name, or by IP address. */
  readonly target: Target;
  /** How many bytes of payload. */
  readonly size: number;
}

/** A yes, and what comes with it. */
export interface Grant {
  /** `always` overrides the safe defaults, `safely` leaves the last word to them. */
  readonly allow: "always" | "safely";
  /** The name of the rule, for the log. */
  readonly rule?: string | undefined;
  /** The way out to take, by name. */
  readonly via?: string | undefined;
  /** What the session may do no more than. */
  readonly limits?: Limit | undefined;
  /** Which sessions are logged; all if absent. */
  readonly log?: "none" | "refused" | "all" | undefined;
}

/** A no. */
export interface Denial {
  /** Why, for the log and the observer; the client is told REP 02. */
  readonly deny: string;
  /** What HTTP clients read below their 403. Without it they read that the rules do not allow it. */
  readonly told?: string | undefined;
  /** The name of the rule, for the log. */
  readonly rule?: string | undefined;
  /** Whether the refusal is logged; it is if absent. */
  readonly log?: "none" | "refused" | "all" | undefined;
}

/**
 * What a rule says. `undefined` is no opinion: the safe defaults decide. `allow` overrides them. A reason is for the
 * log and the observer; the client is told REP 02.
 */
export type Verdict = "allow" | "deny" | Grant | Denial | undefined;

/** A verdict now, or later. */
export type MaybeVerdict = Verdict | Promise<Verdict>;

/**
 * Access control. Every function is optional; a throw denies.
 *
 * @example Only web ports, and nobody but ada to the intranet
 * ```ts
 * import { type Rules } from "@x/socks";
 * import { assertEquals } from "@std/assert";
 *
 * const rules: Rules = {
 *   request: ({ target }) => target.port === 443 || target.port === 80 ? undefined : { deny: "web only" },
 *   address: ({ ip }, { user }) => ip.startsWith("10.") && user?.name === "ada" ? "allow" : undefined,
 * };
 * assertEquals(typeof rules.request, "function");
 * ```
 */
export interface Rules {
  /** Asked once for each request, before a name is resolved. `allow` skips the safe defaults for its addresses too. */
  request?(request: RequestInfo): MaybeVerdict;
  /** Asked for each address that a request comes to: resolved ones, the peer of a BIND, the ends of datagrams. */
  address?(address: AddressInfo, request: RequestInfo): MaybeVerdict;
  /**
   * Asked about a name that is left to a way out, which nobody here looks up: in place of `address`, of what was sent to
   * be done with it, and of datagrams. What was said of the request holds if it has no opinion.
   */
  name?(target: Target, request: RequestInfo): MaybeVerdict;
  /** Asked before the name of a datagram's destination is resolved. `allow` is no more than no opinion. */
  lookup?(target: Target, request: RequestInfo): MaybeVerdict;
  /** Asked for each datagram that the client sends. `allow` is no more than no opinion: its address is asked for too. */
  datagram?(datagram: DatagramInfo, request: RequestInfo): MaybeVerdict;
}
