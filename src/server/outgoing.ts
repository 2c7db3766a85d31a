/**
 * How the server leaves its machine: from which addresses, and with which version of IP.
 *
 * @module
 */

import { type IpAddress, ipVersion, parseIp } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { isUnspecified } from "../net/ip_class.ts";
import { mistake } from "../policy/mistake.ts";
import type { RequestInfo } from "../policy/rules.ts";
import { stableChoice } from "../upstream/stable_choice.ts";

/** The ways to choose among several addresses. */
export type SourceChoice = "round-robin" | "random" | "user";

/** All of them. */
export const SOURCE_CHOICES: readonly SourceChoice[] = ["round-robin", "random", "user"];

/** The ways to prefer a version of IP. */
export type FamilyPreference = "ipv4" | "ipv6" | "ipv4-only" | "ipv6-only";

/** All of them. */
export const FAMILY_PREFERENCES: readonly FamilyPreference[] = ["ipv4", "ipv6", "ipv4-only", "ipv6-only"];

/** What connections and datagrams to targets leave from. */
export interface OutgoingOptions {
  /**
   * Addresses of this machine. A target is reached from one of its own version of IP, and not at all if there is none.
   *
   * @default The system chooses.
   */
  readonly addresses?: readonly IpAddress[] | undefined;
  /**
   * Which of them: one after the other, any, or always the same for the same user (and for the same client's address,
   * where nobody logged in).
   *
   * @default {"round-robin"}
   */
  readonly choose?: SourceChoice | undefined;
  /**
   * Which addresses of a name come first; or which are used at all: the `-only` ones refuse targets given by address,
   * too. A refused client is told that the network is unreachable (REP 03), as by a machine that has no such network.
   *
   * @default The resolver's order.
   */
  readonly prefer?: FamilyPreference | undefined;
}

/** Which of a target's addresses are used, and from where. */
export interface Outgoing {
  /**
   * Puts a target's addresses in the order of preference, without those that cannot be reached.
   *
   * @param ips The addresses, best first. They are returned as they are if there is nothing to change.
   * @returns At least one of them.
   * @throws {NetError} `unreachable-network`, if none is left.
   */
  order(ips: readonly IpAddress[]): readonly IpAddress[];
  /**
   * Chooses the address to leave from. Asked once for each version of IP that a session needs.
   *
   * @param ip Where to.
   * @param request For whom.
   * @returns An address of the same version of IP, or `undefined` to let the system choose.
   * @throws {NetError} `unreachable-network`, if there is none.
   */
  sourceFor(ip: IpAddress, request: RequestInfo): IpAddress | undefined;
}

type Version = 4 | 6;

/**
 * Makes what the options ask for.
 *
 * @param options What the operator wants.
 * @param random Numbers from 0 to below 1, for `random`.
 * @throws {RangeError} If an option makes no sense, or all of them together leave no version of IP.
 */
export function outgoing(options: OutgoingOptions, random: () => number = Math.random): Outgoing {
  const addresses = (options.addresses ?? []).map(readAddress);
  const { choose = "round-robin", prefer } = options;
  if (!SOURCE_CHOICES.includes(choose)) {
    throw wrong("choose", choose, SOURCE_CHOICES.map((one) => `"${one}"`).join(", "));
  }
  if (prefer !== undefined && !FAMILY_PREFERENCES.includes(prefer)) {
    throw wrong("prefer", prefer, FAMILY_PREFERENCES.map((one) => `"${one}"`).join(", "));
  }
  const obstacles = { 4: obstacleTo(4, addresses, prefer), 6: obstacleTo(6, addresses, prefer) };
  if (obstacles[4] !== undefined && obstacles[6] !== undefined) {
    throw wrong("prefer", prefer, `an address of that kind among ${addresses.join(", ")}`);
  }
  return new Ways(obstacles, prefer, choosers(addresses, choose, random));
}

class Ways implements Outgoing {
  readonly #obstacles: Readonly<Record<Version, string | undefined>>;
  readonly #first: Version | undefined;
  readonly #choose: Readonly<Record<Version, Choose | undefined>>;

  constructor(
    obstacles: Readonly<Record<Version, string | undefined>>,
    prefer: OutgoingOptions["prefer"],
    choose: Readonly<Record<Version, Choose | undefined>>,
  ) {
    this.#obstacles = obstacles;
    this.#first = prefer === "ipv4" ? 4 : prefer === "ipv6" ? 6 : undefined;
    this.#choose = choose;
  }

  order(ips: readonly IpAddress[]): readonly IpAddress[] {
    if (ips.length === 1) {
      this.#check(ips[0]!);
      return ips;
    }
    const usable = ips.filter((ip) => this.#obstacles[ipVersion(ip)] === undefined);
    if (usable.length === 0 && ips.length > 0) this.#check(ips[0]!);
    const first = this.#first;
    if (first === undefined) return usable;
    return [...usable.filter((ip) => ipVersion(ip) === first), ...usable.filter((ip) => ipVersion(ip) !== first)];
  }

  sourceFor(ip: IpAddress, request: RequestInfo): IpAddress | undefined {
    this.#check(ip);
    return this.#choose[ipVersion(ip)]?.(request);
  }

  #check(ip: IpAddress): void {
    const obstacle = this.#obstacles[ipVersion(ip)];
    if (obstacle !== undefined) throw new NetError("unreachable-network", `Cannot reach "${ip}": ${obstacle}`);
  }
}

type Choose = (request: RequestInfo) => IpAddress;

function choosers(
  addresses: readonly IpAddress[],
  choose: NonNullable<OutgoingOptions["choose"]>,
  random: () => number,
): Record<Version, Choose | undefined> {
  const of = (version: Version): Choose | undefined => {
    const own = addresses.filter((ip) => ipVersion(ip) === version);
    if (own.length === 0) return undefined;
    if (own.length === 1) return () => own[0]!;
    if (choose === "random") return () => own[Math.floor(random() * own.length)]!;
    if (choose === "user") {
      const choice = stableChoice(own);
      return ({ user, client }) => choice(user !== undefined ? `user ${user.name}` : `address ${client?.ip}`);
    }
    let next = 0;
    return () => {
      const ip = own[next]!;
      next = (next + 1) % own.length;
      return ip;
    };
  };
  return { 4: of(4), 6: of(6) };
}

/** Why addresses of a version of IP cannot be reached, if they cannot. */
function obstacleTo(
  version: Version,
  addresses: readonly IpAddress[],
  prefer: OutgoingOptions["prefer"],
): string | undefined {
  if (prefer === "ipv4-only" && version === 6) return "the server uses IPv4 only";
  if (prefer === "ipv6-only" && version === 4) return "the server uses IPv6 only";
  if (addresses.length === 0 || addresses.some((ip) => ipVersion(ip) === version)) return undefined;
  return `none of the server's outgoing addresses is an IPv${version} address`;
}

function readAddress(text: string): IpAddress {
  const ip = parseIp(text);
  if (ip === undefined || isUnspecified(ip)) throw wrong("addresses", text, "an IP address of this machine");
  return ip;
}

function wrong(name: keyof OutgoingOptions, found: unknown, expected: string): RangeError {
  return new RangeError(`Cannot use outgoing.${name}: ${mistake(found, expected).message}`);
}
