/**
 * From a target to addresses that may be used.
 *
 * @module
 */

import { canonicalIp, type SocketAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { isUnspecified } from "../net/ip_class.ts";
import { type Decision, isDenial, NotAllowedError } from "../policy/authorise.ts";
import type { Denial, Grant, RequestInfo } from "../policy/rules.ts";
import type { Target } from "../protocol/address.ts";
import type { Service } from "./service.ts";

/** Where a request may go. */
export interface Route {
  /**
   * The allowed addresses in the resolver's order, at least one, as far as they come with the same limits; none at all
   * with `resolve: false` and a name.
   */
  readonly addresses: readonly SocketAddress[];
  /** What comes with the yes to the first of them. */
  readonly grant: Grant | undefined;
}

/**
 * Resolves a target once and asks the rules about each address. What comes back is dialled as it is: a name cannot
 * change its mind in between.
 *
 * @param target The target.
 * @param request Who wants to use it.
 * @param granted What the rules said of the request.
 * @param service The resolver and the rules.
 * @throws {NetError} `not-allowed` if none is allowed, `name-not-found` or what else the resolver throws.
 */
export function findRoute(
  target: Target,
  request: RequestInfo,
  granted: Grant | undefined,
  service: Service,
): Route | Promise<Route> {
  if (target.type === "name") return resolveAndCheck(target, request, granted, service);
  const address = { ip: target.host, port: target.port };
  const decision = decide(address, request, granted, service);
  const toOne = (decision: Decision): Route => oneAddress(address, decision, service);
  return decision instanceof Promise ? decision.then(toOne) : toOne(decision);
}

function oneAddress(address: SocketAddress, decision: Decision, { outgoing }: Service): Route {
  if (isDenial(decision)) throw new NotAllowedError(decision);
  outgoing?.order([address.ip]); // throws if there is no way to it
  return { addresses: [address], grant: decision };
}

async function resolveAndCheck(
  target: Target,
  request: RequestInfo,
  granted: Grant | undefined,
  service: Service,
): Promise<Route> {
  if (service.resolve === false) return { addresses: [], grant: granted };
  const ips = await service.resolve(target.host, request);
  if (ips.length === 0) throw new NetError("name-not-found", `Cannot resolve "${target.host}": it has no address`);
  const ordered = service.outgoing?.order(ips.map(canonicalIp)) ?? ips;
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
    } else if (decision?.limits === grant?.limits) addresses.push(address); // whichever answers, its limits hold
  }
  if (addresses.length === 0) throw denial!;
  return { addresses, grant };
}

const NO_ADDRESS: Denial = { deny: "it is no address" };

/** 0.0.0.0 and :: would be this machine, whatever the rules think of them. */
function decide(
  address: SocketAddress,
  request: RequestInfo,
  granted: Grant | undefined,
  service: Service,
  name?: string,
): Decision | Promise<Decision> {
  if (isUnspecified(address.ip)) return NO_ADDRESS;
  return service.authoriser.address(address, request, granted, name);
}
