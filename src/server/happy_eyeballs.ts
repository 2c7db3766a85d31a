/**
 * Dialling directly: all checked addresses, raced.
 *
 * @module
 */

import { interleaveFamilies, race, type RacedConnect } from "../client/race.ts";
import { type IpAddress, ipVersion } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import type { RequestInfo } from "../policy/rules.ts";
import type { Target } from "../protocol/address.ts";
import type { Abortable, Connection, Runtime } from "../runtime/runtime.ts";
import type { DialContext } from "./dial.ts";
import type { Outgoing } from "./outgoing.ts";

/**
 * The default dialler: races the checked addresses as RFC 8305 says, each family in turn, in the resolver's order.
 * They leave from where {@linkcode DialContext.outgoing} says.
 *
 * @throws {NetError} That of the first address, if none connects.
 */
export function connectDirectly(
  target: Target,
  { addresses, request, signal, runtime, outgoing }: Omit<DialContext, "signal"> & { readonly signal: Abortable },
): Promise<Connection> {
  const first = addresses[0];
  if (first === undefined) {
    return Promise.reject(new NetError("name-not-found", `Cannot dial "${target.host}": no address to dial`));
  }
  if (outgoing === undefined && addresses.length === 1) return runtime.connect(first, { signal }); // what most are
  const connect = outgoing === undefined ? plainly(runtime) : fromSources(runtime, outgoing, request);
  return addresses.length === 1 ? connect(first, signal) : race(interleaveFamilies(addresses), connect, signal);
}

function plainly(runtime: Runtime): RacedConnect {
  return (to, signal) => runtime.connect(to, { signal });
}

/** All attempts of one dial leave from one address for each version of IP. */
function fromSources(runtime: Runtime, outgoing: Outgoing, request: RequestInfo): RacedConnect {
  const sources: { 4?: IpAddress | undefined; 6?: IpAddress | undefined } = {};
  return async (to, signal) => {
    const localIp = sources[ipVersion(to.ip)] ??= outgoing.sourceFor(to.ip, request);
    return await runtime.connect(to, { signal, localIp });
  };
}
