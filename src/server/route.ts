/**
 * From a target to addresses that may be used.
 *
 * @module
 */

import { canonicalIp, type IpAddress, parseIp, type SocketAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { comparableName } from "../net/host_name.ts";
import { isUnspecified } from "../net/ip_class.ts";
import { type Decision, isDenial, NotAllowedError } from "../policy/authorise.ts";
import type { Denial, Grant, RequestInfo } from "../policy/rules.ts";
import { isAmong } from "../policy/safe_defaults.ts";
import type { Target } from "../protocol/address.ts";
import type { WayOut } from "../upstream/way_out.ts";
import { addressTarget } from "./exchange.ts";
import type { Service } from "./service.ts";
import type { Traveller } from "./ways_of.ts";

/** Where a request may go. */
export interface Route {
  /**
   * The allowed addresses in the resolver's order, at least one, as far as they come with the same limits and the same
   * way out; none at all for a name that is left to a way out or, with `resolve: false`, to a dialler.
   */
  readonly addresses: readonly SocketAddress[];
  /** What comes with the yes to the first of them, or to the name. */
  readonly grant: Grant | undefined;
  /** The way out to take; absent for the direct one. */
  readonly way?: WayOut | undefined;
}

/**
 * Resolves a target once and asks the rules about each address. What comes back is dialled as it is: a name cannot
 * change its mind in between.
 *
 * A name is put to the rules as a name first. If they have it take a way out that leaves names to the other end it is
 * not looked up at all.
 *
 * @param target The target.
 * @param request Who wants to use it.
 * @param granted What the rules said of the request.
 * @param service The resolver, the rules and the ways out.
 * @throws {NetError} `not-allowed` if none is allowed, `name-not-found` or what else the resolver throws.
 */
export function findRoute(
  target: Target,
  request: Traveller,
  granted: Grant | undefined,
  service: Service,
): Route | Promise<Route> {
  if (target.type === "name") return resolveAndCheck(target, request, granted, service);
  const address = { ip: target.host, port: target.port };
  const decision = decide(address, request, granted, service);
  const toOne = (decision: Decision): Route => oneAddress(address, decision, request, service);
  return decision instanceof Promise ? decision.then(toOne) : toOne(decision);
}

function oneAddress(address: SocketAddress, decision: Decision, request: Traveller, service: Service): Route {
  if (isDenial(decision)) throw new NotAllowedError(decision);
  const way = service.wayFor(decision, request);
  if (way === undefined) service.outgoing?.order([address.ip]); // throws if there is no way to it from here
  return { addresses: [address], grant: decision, way };
}

async function resolveAndCheck(
  target: Target,
  request: Traveller,
  granted: Grant | undefined,
  service: Service,
): Promise<Route> {
  const kept = service.keepsNames ? await keep(target, request, granted, service) : undefined;
  if (kept !== undefined) return kept;
  const isDirect = service.wayFor(granted, request) === undefined;
  if (service.resolve === false) {
    if (isDirect) return { addresses: [], grant: granted };
    throw new NetError("lookup-failed", `Cannot resolve "${target.host}": names are not resolved here`);
  }
  const ips = await service.resolve(target.host, request);
  if (ips.length === 0) throw new NetError("name-not-found", `Cannot resolve "${target.host}": it has no address`);
  const ordered = isDirect && service.outgoing?.order(ips.map(canonicalIp)) || ips;
  const addresses: SocketAddress[] = [];
  let grant: Grant | undefined;
  let denial: NotAllowedError | undefined;
  for (const ip of ordered) {
    const address = { ip: canonicalIp(ip), port: target.port };
    const decision = await decide(address, request, granted, service, target.host);
    if (isDenial(decision)) {
      denial ??= new NotAllowedError(decision, `${target.host}: ${address.ip}: ${decision.deny}`);
    } else if (addresses.length === 0) {
      grant = decision;
      addresses.push(address);
    } else if (decision?.limits === grant?.limits && decision?.via === grant?.via) {
      addresses.push(address); // whichever answers, its limits hold
    }
  }
  if (addresses.length === 0) throw denial!;
  return { addresses, grant, way: service.wayFor(grant, request) };
}

/** The route of a name that is left to a way out; `undefined` for one that is to be looked up here. */
async function keep(
  target: Target,
  request: Traveller,
  granted: Grant | undefined,
  service: Service,
): Promise<Route | undefined> {
  const decision = await service.authoriser.name(target, request, granted);
  const way = service.wayFor(isDenial(decision) ? granted : decision, request);
  if (way?.keepsNames !== true) return undefined;
  const name = comparableName(target.host);
  const ip = parseIp(name);
  if (ip !== undefined) return await findRoute(addressTarget({ ip, port: target.port }), request, granted, service);
  if (isDenial(decision)) throw new NotAllowedError(decision, `${target.host}: ${decision.deny}`);
  if (isNumber(name)) {
    throw new NetError("name-not-found", `Cannot resolve "${target.host}": it is neither a name nor an address`);
  }
  return { addresses: [], grant: decision, way };
}

/** What ends in a number is an address in disguise (`127.1`, `0x7f000001`) to many resolvers, and to DNS nothing. */
function isNumber(name: string): boolean {
  return /^(?:\d+|0x[\da-f]*)$/.test(name.slice(name.lastIndexOf(".") + 1));
}

const NO_ADDRESS: Denial = { deny: "it is no address" };
const LOOP: Denial = { deny: "it is a listener of this server" };

/** 0.0.0.0 and :: would be this machine, whatever the rules think of them. */
function decide(
  address: SocketAddress,
  request: Traveller,
  granted: Grant | undefined,
  service: Service,
  name?: string,
): Decision | Promise<Decision> {
  if (isUnspecified(address.ip)) return NO_ADDRESS;
  const decision = service.authoriser.address(address, request, granted, name);
  if (request.protocol !== "forward" || !isListener(address, request, service)) return decision;
  // Elsewhere it is another place.
  const notHere = (decision: Decision): Decision =>
    isDenial(decision) || service.wayFor(decision, request) !== undefined ? decision : LOOP;
  return decision instanceof Promise ? decision.then(notHere) : notHere(decision);
}

/**
 * Whether a forward leads to a listener of its own server: it may come back to where it began, and would for every
 * client; and to SOCKS its clients would seem to be on this machine.
 */
function isListener({ ip, port }: SocketAddress, { command }: RequestInfo, service: Service): boolean {
  const { forwards, listeners, runtime } = service;
  const interfaces = (): readonly IpAddress[] => runtime.interfaces();
  return isAmong(ip, port, forwards[command === "udp-associate" ? "udp" : "tcp"], interfaces) ||
    command === "connect" && isAmong(ip, port, listeners, interfaces);
}
