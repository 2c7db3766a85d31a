/**
 * Several addresses of one host, raced (RFC 8305).
 *
 * @module
 */

import { ipVersion, type SocketAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import type { Abortable, Connection } from "../runtime/runtime.ts";
import { LightSignal } from "./light_signal.ts";

/** Connection Attempt Delay (RFC 8305 section 5), in milliseconds. */
const ATTEMPT_DELAY = 250;

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

/** Connects to one address, until the signal aborts. */
export type RacedConnect = (to: SocketAddress, signal: Abortable) => Promise<Connection>;

/**
 * Starts an attempt at once when the one before fails, after the delay when it dawdles; the first to connect wins.
 *
 * @param addresses In the order of attempts, at least one.
 * @param connect Makes an attempt.
 * @param signal Ends it all, with its reason.
 * @throws {NetError} That of the first address, if none connects.
 */
export function race(
  addresses: readonly SocketAddress[],
  connect: RacedConnect,
  signal: Abortable,
): Promise<Connection> {
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
