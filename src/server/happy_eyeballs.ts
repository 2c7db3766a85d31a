/**
 * Dialling directly: all checked addresses, raced.
 *
 * @module
 */

import { type IpAddress, ipVersion, type SocketAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import type { RequestInfo } from "../policy/rules.ts";
import type { Target } from "../protocol/address.ts";
import type { Abortable, Connection, Runtime } from "../runtime/runtime.ts";
import type { DialContext } from "./dial.ts";
import { LightSignal } from "./light_signal.ts";
import type { Outgoing } from "./outgoing.ts";

/** Connection Attempt Delay (RFC 8305 section 5), in milliseconds. */
const ATTEMPT_DELAY = 250;

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

type Connect = (to: SocketAddress, signal: Abortable) => Promise<Connection>;

function plainly(runtime: Runtime): Connect {
  return (to, signal) => runtime.connect(to, { signal });
}

/** All attempts of one dial leave from one address for each version of IP. */
function fromSources(runtime: Runtime, outgoing: Outgoing, request: RequestInfo): Connect {
  const sources: { 4?: IpAddress | undefined; 6?: IpAddress | undefined } = {};
  return async (to, signal) => {
    const localIp = sources[ipVersion(to.ip)] ??= outgoing.sourceFor(to.ip, request);
    return await runtime.connect(to, { signal, localIp });
  };
}

/**
 * Puts addresses in the order of attempts (RFC 8305 section 4): the resolver's order, families taking turns, its first
 * one's first.
 */
export function interleaveFamilies(addresses: readonly SocketAddress[]): SocketAddress[] {
  const version = addresses.length > 0 ? ipVersion(addresses[0]!.ip) : 6;
  const first = addresses.filter(({ ip }) => ipVersion(ip) === version);
  const second = addresses.filter(({ ip }) => ipVersion(ip) !== version);
  const order: SocketAddress[] = [];
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    if (i < first.length) order.push(first[i]!);
    if (i < second.length) order.push(second[i]!);
  }
  return order;
}

/** Starts an attempt at once when the one before fails, after the delay when it dawdles; the first to connect wins. */
function race(addresses: readonly SocketAddress[], connect: Connect, signal: Abortable): Promise<Connection> {
  const losers = new LightSignal();
  return new Promise<Connection>((resolve, reject) => {
    let next = 0, running = 0, settled = false;
    const errors: unknown[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;

    const finish = (): void => {
      settled = true;
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      losers.abort(new NetError("aborted", "Cannot connect: another address was faster"));
    };
    const abort = (): void => {
      finish();
      reject(signal.reason);
    };
    const attempt = (): void => {
      clearTimeout(timer);
      if (settled || next === addresses.length) return;
      const index = next++;
      const address = addresses[index]!;
      running++;
      if (next < addresses.length) timer = setTimeout(attempt, ATTEMPT_DELAY);
      connect(address, losers).then((connection) => {
        running--;
        if (settled) return connection.close();
        finish();
        resolve(connection);
      }, (error: unknown) => {
        running--;
        errors[index] = error;
        if (settled) return;
        if (next < addresses.length) return attempt();
        if (running > 0) return;
        finish();
        reject(errors[0]);
      });
    };

    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort);
    attempt();
  });
}
