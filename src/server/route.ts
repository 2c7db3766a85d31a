/**
 * From a target to addresses that may be used.
 *
 * @module
 */

import { canonicalIp, type SocketAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { isUnspecified } from "../net/ip_class.ts";
import type { RequestDecision } from "../policy/authorise.ts";
import type { RequestInfo } from "../policy/rules.ts";
import type { Target } from "../protocol/address.ts";
import type { Service } from "./service.ts";

/**
 * Resolves a target once and asks the rules about each address. What comes back is dialled as it is: a name cannot
 * change its mind in between.
 *
 * @param target The target.
 * @param request Who wants to use it.
 * @param decision What the rules said of the request.
 * @param service The resolver and the rules.
 * @returns The allowed addresses in the resolver's order, at least one; none at all with `resolve: false` and a name.
 * @throws {NetError} `not-allowed` if none is allowed, `name-not-found` or what else the resolver throws.
 */
export function checkedAddresses(
  target: Target,
  request: RequestInfo,
  decision: RequestDecision,
  service: Service,
): SocketAddress[] | Promise<SocketAddress[]> {
  if (target.type === "name") return resolveAndCheck(target, request, decision, service);
  const address = { ip: target.host, port: target.port };
  const allowed = (reason: string | undefined): SocketAddress[] => {
    if (reason !== undefined) throw notAllowed(target, reason);
    return [address];
  };
  const reason = denial(address, request, decision, service);
  return reason instanceof Promise ? reason.then(allowed) : allowed(reason);
}

async function resolveAndCheck(
  target: Target,
  request: RequestInfo,
  decision: RequestDecision,
  service: Service,
): Promise<SocketAddress[]> {
  if (service.resolve === false) return [];
  const ips = await service.resolve(target.host, request);
  if (ips.length === 0) throw new NetError("name-not-found", `Cannot resolve "${target.host}": it has no address`);
  const allowed: SocketAddress[] = [];
  let firstReason: string | undefined;
  for (const ip of ips) {
    const address = { ip: canonicalIp(ip), port: target.port };
    const reason = await denial(address, request, decision, service);
    if (reason === undefined) allowed.push(address);
    else firstReason ??= `${address.ip}: ${reason}`;
  }
  if (allowed.length === 0) throw notAllowed(target, firstReason!);
  return allowed;
}

/** 0.0.0.0 and :: would be this machine, whatever the rules think of them. */
function denial(
  address: SocketAddress,
  request: RequestInfo,
  decision: RequestDecision,
  service: Service,
): string | undefined | Promise<string | undefined> {
  if (isUnspecified(address.ip)) return "it is no address";
  return service.authoriser.address(address, request, decision);
}

function notAllowed(target: Target, reason: string): NetError {
  return new NetError("not-allowed", target.type === "name" ? `${target.host}: ${reason}` : reason);
}
