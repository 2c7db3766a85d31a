/**
 * The ways out of a service.
 *
 * @module
 */

import { formatAddress, isUnixAddress, type SocketAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { isAmong } from "../policy/safe_defaults.ts";
import type { RequestInfo } from "../policy/rules.ts";
import type { Connection, Runtime } from "../runtime/runtime.ts";
import type { Errand, WayFacilities } from "../upstream/facilities.ts";
import { BLOCK } from "../upstream/members_first.ts";
import { openWays, type Ways } from "../upstream/ways.ts";
import { addressTarget } from "./exchange.ts";
import { connectDirectly } from "./happy_eyeballs.ts";
import type { HandleOptions } from "./options.ts";
import type { Outgoing } from "./outgoing.ts";
import type { Resolve } from "./resolve.ts";

/** A request, with the way out of what no rule says another for, if it has one of its own. */
export type Traveller = RequestInfo & {
  /** The forward that it came by. */
  readonly forward?: { readonly via?: string | undefined } | undefined;
};

/** What ways out take from a service. */
export interface Surroundings {
  /** The system. */
  readonly runtime: Runtime;
  /** How names are resolved. */
  readonly resolve: Resolve | false;
  /** What connections leave from. */
  readonly outgoing: Outgoing | undefined;
  /** Where it serves SOCKS. */
  readonly listeners: readonly SocketAddress[];
}

/**
 * Makes the ways out that the options name, and makes sure that those are there which rules ask for.
 *
 * @param options What the server was told.
 * @param around The service.
 * @param previous The ways in whose place these come.
 * @throws {RangeError} For a way that makes no sense, or is not there.
 */
export function waysOf(options: HandleOptions, around: Surroundings, previous: Ways | undefined): Ways {
  const { upstreams = {}, rules = [], via, onHealth } = options;
  const ways = openWays(upstreams, { facilities: facilitiesOf(around), previous, onHealth });
  try {
    ways.check(via, "via");
    if (Array.isArray(rules)) rules.forEach((rule, at) => ways.check(rule.via, `rules[${at}].via`));
  } catch (error) {
    ways.close(previous);
    throw error;
  }
  return ways;
}

/** Whether any request may take a way that leaves names to the other end: then names are put to the rules as such. */
export function mayKeepNames({ rules = [], via }: HandleOptions, ways: Ways): boolean {
  return ways.keepNames || via === BLOCK || Array.isArray(rules) && rules.some((rule) => rule.via === BLOCK);
}

/** How ways out reach what is next to them: as targets are reached that are connected to directly. */
export function facilitiesOf({ runtime, resolve, outgoing, listeners }: Surroundings): WayFacilities {
  const dial = async (addresses: readonly SocketAddress[], { request, signal }: Errand): Promise<Connection> => {
    const [first] = addresses;
    if (first === undefined) throw new NetError("name-not-found", "Cannot connect: found no address");
    const ordered = inOrder(addresses, outgoing);
    return await connectDirectly(addressTarget(first), { addresses: ordered, request, signal, runtime, outgoing });
  };
  /** A forward may lead to the proxy of others, but not to that of its own sessions. */
  const placesOf = ({ request: { protocol, command, listener } }: Errand): readonly SocketAddress[] => {
    const isForward = protocol === "forward" && command === "connect";
    return !isForward || listener === undefined || isUnixAddress(listener) ? listeners : [...listeners, listener];
  };
  return {
    runtime,
    lookup: async (name, { request, signal }) =>
      resolve === false ? await runtime.lookup(name, { signal }) : await resolve(name, request),
    dial,
    dialProxy: async (addresses, errand) => {
      const own = addresses.find(({ ip, port }) => isAmong(ip, port, placesOf(errand), () => runtime.interfaces()));
      if (own === undefined) return await dial(addresses, errand);
      throw new NetError("not-allowed", `Cannot connect to "${formatAddress(own)}": it is a listener of this server`);
    },
  };
}

function inOrder(addresses: readonly SocketAddress[], outgoing: Outgoing | undefined): readonly SocketAddress[] {
  if (outgoing === undefined) return addresses;
  const { port } = addresses[0]!;
  return outgoing.order(addresses.map(({ ip }) => ip)).map((ip) => ({ ip, port }));
}
