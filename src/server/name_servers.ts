/**
 * Resolving names with name servers of the operator's choice.
 *
 * @module
 */

import { ipVersion, type SocketAddress } from "../net/address.ts";
import { NetError, netErrorCode } from "../net/errors.ts";
import { classifyIp } from "../net/ip_class.ts";
import type { AddressRecord, Runtime } from "../runtime/runtime.ts";
import { fixedAddresses } from "./fixed_names.ts";
import type { Answer, Ask } from "./lookup_cache.ts";
import { NameServer, type QueryingRuntime } from "./name_server.ts";

/** How long the addresses are good if those of the other version of IP could not be found out, in milliseconds. */
const PARTIAL_TTL = 5_000;

/** How often servers are asked before one version of IP has to do. */
const MOST_FOR_THE_REST = 2;

/** How long what needs no name server is good, in milliseconds. */
const FIXED_TTL = 86_400_000;

/** How to ask name servers. */
export interface NameServerOptions {
  /** The servers, best first, at least one. They are taken for equals: the first to answer is believed. */
  readonly servers: readonly SocketAddress[];
  /** How long each may take for an answer, in milliseconds. */
  readonly timeout: number;
  /** The system. */
  readonly runtime: QueryingRuntime;
  /** A clock in milliseconds that never goes back. */
  readonly now: () => number;
}

/**
 * Resolves names with the given name servers: A and AAAA at the same time, from the first server that answers. If none
 * does they are all asked once more, since a datagram may have been lost. A name is asked for as it is, without search
 * domains.
 */
export function nameServers({ servers: addresses, timeout, runtime, now }: NameServerOptions): Ask {
  const servers = addresses.map((address) => new NameServer(address, runtime, now));
  return async (name, signal) => {
    const fixed = fixedAddresses(name);
    if (fixed !== undefined) return { ips: fixed, ttl: FIXED_TTL };
    const search = new Search(runtime.queryBlursFailures === true);
    for (const server of [...inOrder(servers), ...inOrder(servers)]) {
      if (!search.goesOnWith(server)) continue;
      await search.ask(server, (version) => server.ask(name, version, { signal, timeout }));
      if (signal.aborted) throw signal.reason;
    }
    return search.result(prefersIpv6(runtime) ? [6, 4] : [4, 6]);
  };
}

/** What has been found out about one name. */
class Search {
  readonly #isBlurred: boolean;
  readonly #missing = new Set<4 | 6>([4, 6]);
  readonly #records = new Map<4 | 6, readonly AddressRecord[]>();
  /** What servers said that there is none of. */
  readonly #absent = new Set<4 | 6>();
  readonly #asked = new Set<NameServer>();
  #attempts = 0;
  #absence: unknown;
  #failure: unknown;

  constructor(isBlurred: boolean) {
    this.#isBlurred = isBlurred;
  }

  /** Whether something is missing that this server may know. */
  goesOnWith(server: NameServer): boolean {
    if (this.#missing.size === 0) return false;
    if (this.#records.size > 0) return this.#attempts < MOST_FOR_THE_REST;
    const isDoubtful = this.#isBlurred && this.#absent.size > 0;
    return !isDoubtful || !this.#asked.has(server) && !server.isDown;
  }

  async ask(server: NameServer, query: (version: 4 | 6) => Promise<readonly AddressRecord[]>): Promise<void> {
    this.#asked.add(server);
    this.#attempts++;
    await Promise.all([...this.#missing].map(async (version) => {
      try {
        this.#records.set(version, await query(version));
        this.#missing.delete(version);
      } catch (error) {
        if (netErrorCode(error) !== "name-not-found") this.#failure = error;
        else {
          this.#absence = error;
          this.#absent.add(version);
          if (!this.#isBlurred) this.#missing.delete(version);
        }
      }
    }));
    // A server that knows one half of the name has not failed over the other.
    if (this.#records.size > 0) { for (const version of this.#absent) this.#missing.delete(version); }
  }

  result(order: readonly (4 | 6)[]): Answer {
    const records = order.flatMap((version) => this.#records.get(version) ?? []);
    if (records.length > 0) {
      const most = this.#missing.size > 0 ? PARTIAL_TTL : Infinity;
      const ttl = records.reduce((least, { ttl }) => Math.min(least, ttl), most);
      return { ips: [...new Set(records.map(({ ip }) => ip))], ttl };
    }
    if (this.#absent.size === 2) throw this.#absence;
    throw new NetError("lookup-failed", (this.#failure as Error).message, { cause: this.#failure });
  }
}

function inOrder(servers: readonly NameServer[]): readonly NameServer[] {
  const isDown = (server: NameServer): boolean => server.isDown;
  return servers.some(isDown) ? [...servers.filter((server) => !isDown(server)), ...servers.filter(isDown)] : servers;
}

/** IPv6 comes first where there is any: without, the first attempt of each dial would be in vain. */
function prefersIpv6(runtime: Runtime): boolean {
  return runtime.interfaces().some((ip) => ipVersion(ip) === 6 && /^(?:global|private)$/.test(classifyIp(ip)));
}
