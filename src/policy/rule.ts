/**
 * A rule as an operator writes it.
 *
 * @module
 */

import type { Limit } from "./limit.ts";

/** What a rule can be about: the commands of SOCKS, and Tor's lookups. */
export type RuleCommand = "connect" | "bind" | "udp-associate" | "resolve";

/** All of them. */
export const RULE_COMMANDS: readonly RuleCommand[] = ["connect", "bind", "udp-associate", "resolve"];

/**
 * A name for a kind of addresses, for {@linkcode Rule.from} and {@linkcode Rule.to}. `any` is all of them; `metadata` where clouds keep the secrets of a machine;
 * `loopback` holds 0.0.0.0/8 and :: too, which lead to this machine; `private` also unique local addresses and those of
 * carrier-grade NAT.
 */
export type AddressSet = "loopback" | "private" | "link-local" | "metadata" | "multicast" | "any";

/** All of them. */
export const ADDRESS_SETS: readonly AddressSet[] = [
  "loopback",
  "private",
  "link-local",
  "metadata",
  "multicast",
  "any",
];

/** Hours of some days of the week. Both ends of what is left out are open. */
export interface TimeWindow {
  /**
   * Days such as `mon-fri` or `sat,sun`.
   *
   * @default Every day.
   */
  readonly days?: string | undefined;
  /**
   * Hours such as `08:00-18:00`, from the first minute to before the last; `22:00-06:00` goes over midnight and belongs
   * to the day it begins on.
   *
   * @default The whole day.
   */
  readonly hours?: string | undefined;
  /**
   * A time zone of the IANA database such as `Europe/Berlin`.
   *
   * @default The machine's.
   */
  readonly zone?: string | undefined;
}

/**
 * A rule. It applies to a request where all of its conditions do; a condition is a list, and one item of it is enough.
 * The first rule that applies decides. A condition that is left out applies to everything.
 */
export interface Rule {
  /** What it does. */
  readonly action: "allow" | "deny";
  /**
   * What the log calls it.
   *
   * @default `rule 1` for the first, and so on.
   */
  readonly name?: string | undefined;
  /** Why a denial is one: for the log, and for HTTP clients below their 403. */
  readonly reason?: string | undefined;
  /**
   * Where the client is: IP addresses, CIDR blocks, {@linkcode AddressSet}. One without an address, as on a UNIX
   * socket, is in `any`, and in `loopback` if it is on this machine.
   */
  readonly from?: readonly string[] | undefined;
  /** Which listener it came to: its name, or where it listens as it is written there. */
  readonly listeners?: readonly string[] | undefined;
  /** Who it is. `*` is everybody who logged in. */
  readonly users?: readonly string[] | undefined;
  /** The groups of users that it belongs to. */
  readonly groups?: readonly string[] | undefined;
  /** What it asks for. */
  readonly commands?: readonly RuleCommand[] | undefined;
  /**
   * Where to: IP addresses, CIDR blocks, {@linkcode AddressSet}; or names: `example.com`, `.example.com` (the name
   * and all below it), `*.cdn.example.*` (`*` is any characters, also dots and none), `/^ads?\d*\./` (a regular
   * expression, without lookarounds and backreferences). Names are compared with the name that the client sent, without
   * regard to case and in ASCII form (`xn--…`); addresses with the address that will be dialled and, where that carries
   * an IPv4 address (NAT64, 6to4), with that one. A name that is left to a way out is not looked up, and matches no
   * address but those of `any`; `localhost`, and what is below it, is 127.0.0.1.
   */
  readonly to?: readonly string[] | undefined;
  /** To which ports: `443`, `8000-8999`. */
  readonly ports?: readonly (number | string)[] | undefined;
  /** When. */
  readonly times?: readonly TimeWindow[] | undefined;
  /**
   * Whether an `allow` reaches addresses that the safe defaults keep from clients of other machines. One that lists
   * such addresses in `to`, by CIDR block or set (other than `any`, `0.0.0.0/0` and `::/0`), reaches those in any case;
   * of an address that carries another, that other must be listed.
   *
   * @default {false}
   */
  readonly allowPrivate?: boolean | undefined;
  /**
   * The way out that what it allows takes, by name.
   *
   * @default That of the forward or of the server.
   */
  readonly via?: string | undefined;
  /**
   * What an `allow` allows no more than. Each rule counts for itself. An association is held to those of the rule that
   * allows its first destination, and reaches none that is allowed by a rule with others.
   */
  readonly limits?: Limit | undefined;
  /**
   * Which sessions are logged.
   *
   * @default {"all"}
   */
  readonly log?: "none" | "refused" | "all" | undefined;
}
