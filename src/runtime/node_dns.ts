import { lookup as systemLookup, lookupService } from "node:dns";
import { networkInterfaces } from "node:os";
import { canonicalIp, type IpAddress } from "../net/address.ts";
import { abortError, toNetError } from "./errno.ts";
import type { LookupOptions } from "./runtime.ts";

/**
 * Every address of a name by the system's resolver.
 *
 * @throws {NetError} `name-not-found`, `lookup-failed`, `aborted`.
 */
export function lookup(hostname: string, options: LookupOptions = {}): Promise<IpAddress[]> {
  return new Promise((resolve, reject) => {
    const action = `Cannot look up "${hostname}"`;
    const { signal } = options;
    if (signal?.aborted) return reject(abortError(signal, action));
    // The system's lookup cannot be called off; we stop waiting for it.
    const onAbort = (): void => reject(abortError(signal!, action));
    signal?.addEventListener("abort", onAbort, { once: true });
    const settle = (error: unknown, found: readonly { address: string }[]): void => {
      signal?.removeEventListener("abort", onAbort);
      if (error) return reject(toNetError(error, action, "lookup"));
      resolve([...new Set(found.map(({ address }) => canonicalIp(address)))]);
    };
    try {
      systemLookup(hostname, { all: true, verbatim: true }, (error, found) => settle(error, found ?? []));
    } catch (error) {
      settle(error, []);
    }
  });
}

/**
 * The name of an address by the system's resolver.
 *
 * @throws {NetError} `name-not-found`, `lookup-failed`, `aborted`.
 */
export function reverseLookup(ip: IpAddress, options: LookupOptions = {}): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const action = `Cannot look up "${ip}"`;
    const { signal } = options;
    if (signal?.aborted) return reject(abortError(signal, action));
    // Like the other one, it cannot be called off.
    const onAbort = (): void => reject(abortError(signal!, action));
    signal?.addEventListener("abort", onAbort, { once: true });
    const settle = (error: unknown, name: string): void => {
      signal?.removeEventListener("abort", onAbort);
      if (error) return reject(toNetError(error, action, "lookup"));
      resolve([name]);
    };
    try {
      lookupService(ip, 0, settle);
    } catch (error) {
      settle(error, "");
    }
  });
}

/** The addresses of this machine's interfaces. */
export function interfaces(): IpAddress[] {
  const found = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return [...new Set(found.map(({ address }) => canonicalIp(address)))];
}
