import { Resolver } from "node:dns";
import { canonicalIp, formatAddress, type SocketAddress } from "../net/address.ts";
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
export function query(
  hostname: string,
  version: 4 | 6,
  server: SocketAddress,
  { signal, timeout }: QueryOptions,
): Promise<AddressRecord[]> {
  return new Promise((resolve, reject) => {
    const action = `Cannot look up "${hostname}" at "${formatAddress(server)}"`;
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
    const answered = (error: unknown, records: readonly { address: string; ttl: number }[]): void => {
      settle();
      if (error) return reject(failure(error, action));
      resolve(records.map(({ address, ttl }) => ({ ip: canonicalIp(address), ttl: ttl * 1000 })));
    };
    try {
      resolver.setServers([formatAddress(server)]);
      if (version === 4) resolver.resolve4(hostname, { ttl: true }, answered);
      else resolver.resolve6(hostname, { ttl: true }, answered);
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
