/**
 * The resolver: set names, remembered names, name servers.
 *
 * @module
 */

import { comparableName } from "../net/host_name.ts";
import { NetError } from "../net/errors.ts";
import { mistake } from "../policy/mistake.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { type Hosts, hosts } from "./hosts.ts";
import { type Ask, type CacheOptions, LookupCache } from "./lookup_cache.ts";
import { parseNameServer } from "./name_server_address.ts";
import { nameServers } from "./name_servers.ts";
import type { Resolve } from "./resolve.ts";

/** How names become addresses. */
export interface ResolverOptions {
  /**
   * The name servers to ask: `IP`, `IP:PORT`, `[IPv6]:PORT`. The first to answer is believed. They are asked for names as
   * they are, without search domains. `localhost` and what ends in it stays this machine.
   *
   * @default The system's resolver, with all that it is set up for.
   */
  readonly servers?: readonly string[] | undefined;
  /**
   * How long each of them may take for an answer, in milliseconds; they are all asked twice.
   *
   * @default {2_000}
   */
  readonly timeout?: number | undefined;
  /** Names and their addresses, before anybody is asked. `*.home` is every name below `home`; `[]` hides a name. */
  readonly hosts?: Hosts | undefined;
  /**
   * How much is remembered, and for how long; `false` for nothing.
   *
   * @default Addresses for as long as the name server says, or 10 s where the system does not say.
   */
  readonly cache?: false | CacheOptions | undefined;
}

/**
 * Makes a resolver. Upper and lower case and a dot at the end make no difference to it.
 *
 * @param options How names become addresses.
 * @param runtime The system.
 * @param now A clock in milliseconds that never goes back.
 * @returns The resolver. It gives known addresses at once.
 * @throws {RangeError} If an option makes no sense.
 * @throws {NetError} `not-supported`, if this runtime cannot ask given name servers.
 */
export function resolver(
  options: ResolverOptions,
  runtime: Runtime,
  now: () => number = () => performance.now(),
): Resolve {
  const known = hosts(options.hosts ?? {});
  const ask = source(options, runtime, now);
  const cache = options.cache === false ? undefined : new LookupCache(ask, options.cache ?? {}, now);
  const askNow = async (name: string, { signal }: { signal: AbortSignal }) => (await ask(name, signal)).ips;
  const find = cache === undefined ? askNow : cache.lookup.bind(cache);
  return (name, request) => {
    const plain = comparableName(name);
    const ips = known(plain);
    if (ips === undefined) return find(plain, request);
    if (ips.length === 0) throw new NetError("name-not-found", `Cannot look up "${plain}": it is hidden`);
    return ips;
  };
}

function source({ servers, timeout = 2_000 }: ResolverOptions, runtime: Runtime, now: () => number): Ask {
  if (!(timeout > 0 && timeout < 2 ** 31)) throw wrong("timeout", mistake(timeout, "a number of milliseconds"));
  if (servers === undefined) return async (name, signal) => ({ ips: await runtime.lookup(name, { signal }) });
  if (servers.length === 0) throw wrong("servers", mistake(servers, "at least one name server"));
  if (!canQuery(runtime)) {
    throw new NetError("not-supported", `Cannot ask name servers: the runtime "${runtime.name}" has no means to`);
  }
  return nameServers({ servers: servers.map(readServer), timeout, runtime, now });
}

function canQuery(runtime: Runtime): runtime is Runtime & Required<Pick<Runtime, "query">> {
  return runtime.query !== undefined;
}

function readServer(text: string): ReturnType<typeof parseNameServer> {
  try {
    return parseNameServer(text);
  } catch (error) {
    throw wrong("servers", error as RangeError);
  }
}

function wrong(name: keyof ResolverOptions, { message }: RangeError): RangeError {
  return new RangeError(`Cannot use resolver.${name}: ${message}`);
}
