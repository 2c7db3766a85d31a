import { Resolver } from "node:dns";
import { arpaName } from "../net/arpa.ts";
import { canonicalIp, formatAddress, type IpAddress, type SocketAddress } from "../net/address.ts";
import { NetError, type NetErrorCode } from "../net/errors.ts";
import { abortError, toNetError } from "./errno.ts";
import type { AddressRecord, QueryOptions } from "./runtime.ts";

/** What `node:dns` says of a name server, and what that is for us. */
const FAILURES: Readonly<Record<string, readonly [NetErrorCode, string]>> = {
  ESERVFAIL: ["lookup-failed", "the name server failed"],
  EREFUSED: ["lookup-failed", "the name server refused"],
  ETIMEOUT: ["timeout", "no answer"],
  ECONNREFUSED: ["refused", "connection refused"],
};

/**
 * Asks one name server for addresses, by `node:dns`.
 *
 * @throws {NetError} See `Runtime.query`.
 */
export async function query(
  hostname: string,
  version: 4 | 6,
  server: SocketAddress,
  options: QueryOptions,
): Promise<AddressRecord[]> {
  const records = await ask<{ address: string; ttl: number }>(hostname, server, options, (resolver, answered) => {
    if (version === 4) resolver.resolve4(hostname, { ttl: true }, answered);
    else resolver.resolve6(hostname, { ttl: true }, answered);
  });
  return records.map(({ address, ttl }) => ({ ip: canonicalIp(address), ttl: ttl * 1000 }));
}

/**
 * Asks one name server for the names of an address, by `node:dns`.
 *
 * @throws {NetError} See `Runtime.reverseQuery`.
 */
export function reverseQuery(ip: IpAddress, server: SocketAddress, options: QueryOptions): Promise<string[]> {
  return ask<string>(ip, server, options, (resolver, answered) => resolver.resolvePtr(arpaName(ip), answered));
}

/** Is told what a resolver found. */
type Answered<T> = (error: unknown, records: readonly T[]) => void;

function ask<T>(
  what: string,
  server: SocketAddress,
  { signal, timeout }: QueryOptions,
  run: (resolver: Resolver, answered: Answered<T>) => void,
): Promise<T[]> {
  return new Promise((resolve, reject) => {
    const action = `Cannot look up "${what}" at "${formatAddress(server)}"`;
    if (signal?.aborted) return reject(abortError(signal, action));
    // A resolver for each query: it can be called off by itself, and asks from a port that nobody can guess. Bun takes
    // the time limit for a suggestion: the timer counts.
    const resolver = new Resolver({ timeout: 2 * timeout, tries: 1 });
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const stop = (error: NetError): void => {
      settle();
      reject(error);
      resolver.cancel();
    };
    const onAbort = (): void => stop(abortError(signal!, action));
    const onTimeout = (): void => stop(new NetError("timeout", `${action}: no answer within ${timeout / 1000} s`));
    const timer = setTimeout(onTimeout, timeout);
    signal?.addEventListener("abort", onAbort, { once: true });
    const answered: Answered<T> = (error, records) => {
      settle();
      if (error) return reject(failure(error, action));
      resolve([...records]);
    };
    try {
      resolver.setServers([formatAddress(server)]);
      run(resolver, answered);
    } catch (error) {
      answered(error, []);
    }
  });
}

function failure(error: unknown, action: string): NetError {
  const [code, state] = FAILURES[String((error as { code?: unknown }).code)] ?? [];
  if (code === undefined) return toNetError(error, action, "lookup");
  return new NetError(code, `${action}: ${state}`, { cause: error });
}
