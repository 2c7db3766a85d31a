/**
 * The names of addresses: set ones, remembered ones, name servers.
 *
 * @module
 */

import { type IpAddress, parseIp } from "../net/address.ts";
import { NetError, netErrorCode } from "../net/errors.ts";
import { classifyIp } from "../net/ip_class.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Hosts } from "./hosts.ts";
import { LookupCache } from "./lookup_cache.ts";
import { parseNameServer } from "./name_server_address.ts";
import { NameServer, type ReverseQueryingRuntime } from "./name_server.ts";
import type { ResolverOptions } from "./resolver.ts";
import type { Reverse } from "./reverse.ts";

/** Finds the names of an address, at least one. */
type Find = (ip: IpAddress, signal: AbortSignal) => Promise<readonly string[]>;

/**
 * Makes what finds the names of addresses, of the options of the resolver: they are already known to make sense. A name in
 * `hosts` is a name of its addresses; name servers are not asked about loopback.
 *
 * @param options How names become addresses.
 * @param runtime The system.
 * @param now A clock in milliseconds that never goes back.
 * @returns `undefined` if the system has no means to.
 */
export function reverser(
  options: ResolverOptions | undefined,
  runtime: Runtime,
  now: () => number = () => performance.now(),
): Reverse | undefined {
  const find = source(options ?? {}, runtime, now);
  if (find === undefined) return undefined;
  if (options === undefined) return (ip, { signal }) => find(ip, signal);
  const known = names(options.hosts ?? {});
  // To the cache one text is like another.
  const cache = options.cache === false
    ? undefined
    : new LookupCache(async (ip, signal) => ({ ips: await find(ip, signal) }), options.cache ?? {}, now);
  return (ip, request) => known.get(ip) ?? cache?.lookup(ip, request) ?? find(ip, request.signal);
}

function source({ servers, timeout = 2_000 }: ResolverOptions, runtime: Runtime, now: () => number): Find | undefined {
  if (servers === undefined) {
    if (runtime.reverseLookup === undefined) return undefined;
    return (ip, signal) => runtime.reverseLookup!(ip, { signal });
  }
  if (!canQuery(runtime)) return undefined;
  const all = servers.map((server) => new NameServer(parseNameServer(server), runtime, now));
  return async (ip, signal) => {
    if (classifyIp(ip) === "loopback") return ["localhost"];
    let failure: unknown;
    let absence: unknown;
    for (const server of [...all.filter(({ isDown }) => !isDown), ...all.filter(({ isDown }) => isDown)]) {
      try {
        return await server.askNames(ip, { signal, timeout });
      } catch (error) {
        if (signal.aborted) throw signal.reason;
        if (netErrorCode(error) !== "name-not-found") failure = error;
        else if (runtime.queryBlursFailures === true) absence = error; // perhaps it cannot tell, and the next one can
        else throw error;
      }
    }
    if (absence !== undefined) throw absence;
    throw new NetError("lookup-failed", (failure as Error).message, { cause: failure });
  };
}

function canQuery(runtime: Runtime): runtime is ReverseQueryingRuntime {
  return runtime.query !== undefined && runtime.reverseQuery !== undefined;
}

/** The names of a table of hosts by their addresses. */
function names(table: Hosts): ReadonlyMap<IpAddress, readonly string[]> {
  const known = new Map<IpAddress, string[]>();
  for (const [name, addresses] of Object.entries(table)) {
    if (name.startsWith("*.")) continue; // many names, and none in particular
    for (const text of [addresses].flat()) {
      const ip = parseIp(text)!;
      known.set(ip, [...known.get(ip) ?? [], name]);
    }
  }
  return known;
}
