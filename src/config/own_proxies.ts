/**
 * Ways out that lead back into the server.
 *
 * @module
 */

import { parseProxy } from "../client/proxy.ts";
import { formatHostPort, parseIp } from "../net/address.ts";
import { type HostPort, parseEndpoint } from "../net/endpoint.ts";
import { classifyIp } from "../net/ip_class.ts";
import type { Config, ListenEntry } from "./config.ts";
import type { Finding } from "./finding.ts";
import { isWayName } from "./upstream_setting.ts";

/**
 * Looks for proxies that are this server: each session would open another one, without end.
 *
 * @param config The settings.
 * @param listeners Where the server listens.
 */
export function checkOwnProxies({ upstreams = [], via = [] }: Config, listeners: readonly ListenEntry[]): Finding[] {
  const places = listeners.flatMap(({ address }) => {
    const endpoint = parseEndpoint(address);
    return "path" in endpoint || endpoint.port === 0 ? [] : [endpoint];
  });
  const firsts: (readonly [readonly PropertyKey[], readonly string[]])[] = [
    ...upstreams.flatMap((entry, index) =>
      "proxy" in entry ? [[["upstreams", index, "proxy"], entry.proxy] as const] : []
    ),
    [["via"], via],
  ];
  return firsts.flatMap(([path, proxies]): Finding[] => {
    const first = proxies[0];
    if (first === undefined || isWayName(first)) return [];
    const { host, port } = parseProxy(first);
    if (!places.some((place) => leadsTo({ host, port }, place))) return [];
    const message = `found ${formatHostPort(host, port)}, where this server itself listens, expected another proxy's`;
    return [{ path: proxies.length === 1 ? path : [...path, 0], message, isWarning: false }];
  });
}

/** Whether who connects there comes to a listener, as far as that can be told without looking names up. */
function leadsTo({ host, port }: HostPort, place: HostPort): boolean {
  if (port !== place.port) return false;
  if (host === place.host) return true;
  const [ip, listening] = [ipOf(host), ipOf(place.host)];
  if (ip === undefined || listening === undefined) return false;
  if (host === "localhost" || place.host === "localhost") return isLoopback(ip) && isLoopback(listening);
  const isEverywhere = listening === "::" || listening === "0.0.0.0" && !ip.includes(":");
  return isEverywhere && isLoopback(ip) || ip === listening;
}

function ipOf(host: string): string | undefined {
  return host === "localhost" ? "127.0.0.1" : parseIp(host);
}

function isLoopback(ip: string): boolean {
  return classifyIp(ip) === "loopback" || ip === "::" || ip === "0.0.0.0";
}
