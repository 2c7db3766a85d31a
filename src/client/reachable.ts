/**
 * Where a proxy is that told an address of its own.
 *
 * @module
 */

import { classifyIp, isUnspecified } from "../net/ip_class.ts";
import { type Target, targetOf } from "../protocol/address.ts";
import type { Connection } from "../runtime/runtime.ts";
import type { Proxy } from "./proxy.ts";

/**
 * An address that the last proxy told, in which zeros stand for the proxy itself.
 *
 * @param bound What it told.
 * @param hops The proxies up to it.
 * @param connection The connection to the first of them.
 */
export function reachable(bound: Target, hops: readonly Proxy[], connection: Connection): Target {
  return bound.type !== "name" && isUnspecified(bound.host) ? proxyItself(bound.port, hops, connection) : bound;
}

/**
 * Where the last proxy takes datagrams from us: what it told, unless that is good in a smaller world alone than the
 * address by which we came to it, as a proxy behind NAT tells. Then it is the proxy itself.
 *
 * @param bound What it told.
 * @param hops The proxies up to it.
 * @param connection The connection to the first of them.
 */
export function reachableRelay(bound: Target, hops: readonly Proxy[], connection: Connection): Target {
  if (bound.type === "name") return bound;
  const itself = proxyItself(bound.port, hops, connection);
  return REACH.indexOf(classifyIp(bound.host)) < REACH.indexOf(reachOf(itself)) ? itself : bound;
}

/** From how far an address can be reached, the nearest first. */
const REACH = ["unspecified", "loopback", "link-local", "private", "global"];

/** A name is taken for one of the wide world. */
function reachOf({ type, host }: Target): string {
  if (type !== "name") return classifyIp(host);
  return /^(?:.+\.)?localhost\.?$/i.test(host) ? "loopback" : "global";
}

function proxyItself(port: number, hops: readonly Proxy[], { remote }: Connection): Target {
  return targetOf(hops.length === 1 && remote !== undefined ? remote.ip : hops[hops.length - 1]!.host, port);
}
