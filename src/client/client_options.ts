/**
 * What everything here needs to be told.
 *
 * @module
 */

import type { IpAddress } from "../net/address.ts";
import { type HostPort, parseEndpoint } from "../net/endpoint.ts";
import { type Target, targetOf } from "../protocol/address.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { currentRuntime } from "../runtime/detect.ts";
import type { ClientMethod } from "./client_method.ts";
import { type DialThroughContext, type LookupHere, withSignal } from "./dial_through.ts";
import { deadline } from "./deadline.ts";
import { parseProxy, type Proxy, type ProxyLike } from "./proxy.ts";

/** Where to connect to: `example.com:443`, `[2001:db8::1]:443`, or a host and a port. */
export type TargetLike = string | HostPort;

/** How to go through a proxy, or a chain of them. */
export interface ClientOptions {
  /** The proxy; or a chain, the first of which is connected to directly. */
  readonly proxy: ProxyLike | readonly ProxyLike[];
  /** Gives up when it aborts. What has been handed out by then stays. */
  readonly signal?: AbortSignal | undefined;
  /**
   * How long it all may take, in milliseconds.
   *
   * @default {30_000}
   */
  readonly timeout?: number | undefined;
  /**
   * Whether to send the login and the request before the proxy has answered: a round trip instead of two or three. The
   * password goes out even to a proxy that would not ask for it. Some servers (microsocks) do not bear it.
   *
   * @default {false}
   */
  readonly optimistic?: boolean | undefined;
  /**
   * Methods of your own to offer to SOCKS5 proxies before user and password, best first.
   *
   * @default {[]}
   */
  readonly methods?: readonly ClientMethod[] | undefined;
  /**
   * Certificates of the authorities that a proxy with TLS may show, in PEM.
   *
   * @default Those that the runtime trusts.
   */
  readonly authorities?: readonly string[] | undefined;
  /**
   * Resolves names that are not left to a proxy: the first proxy's own, and with `socks4` and `socks5` the target's.
   *
   * @default The system's resolver.
   */
  readonly lookup?: ((name: string, signal: AbortSignal) => Promise<readonly IpAddress[]>) | undefined;
  /**
   * The system.
   *
   * @default The runtime that executes this.
   */
  readonly runtime?: Runtime | undefined;
}

/** How long it all may take if nobody says otherwise, in milliseconds. */
export const DEFAULT_TIMEOUT = 30_000;

/** Runs something that goes through proxies, in the time it has. */
export async function inTime<T>(
  options: ClientOptions,
  run: (hops: readonly Proxy[], context: DialThroughContext) => Promise<T>,
): Promise<T> {
  const hops = hopsOf(options.proxy);
  const { timeout = DEFAULT_TIMEOUT } = options;
  if (!(timeout > 0)) throw new RangeError(`Cannot connect: found the timeout ${timeout}, expected milliseconds`);
  const runtime = options.runtime ?? await currentRuntime();
  const limit = deadline(options.signal, timeout);
  try {
    return await run(hops, {
      runtime,
      signal: limit.signal,
      lookup: lookupOf(options, runtime),
      optimistic: options.optimistic,
      methods: options.methods,
      authorities: options.authorities,
    });
  } finally {
    limit.end();
  }
}

/** Resolves names here. */
export function lookupOf(options: Pick<ClientOptions, "lookup">, runtime: Runtime): LookupHere {
  const lookup = options.lookup ?? ((name, signal) => runtime.lookup(name, { signal }));
  return (name, signal) => withSignal(lookup(name, signal), signal);
}

/** The proxies of the options, checked. */
export function hopsOf(from: ClientOptions["proxy"]): readonly Proxy[] {
  const list: readonly ProxyLike[] = Array.isArray(from) ? from : [from as ProxyLike];
  if (list.length === 0) throw new RangeError("Cannot connect: found no proxy, expected at least one");
  return list.map(parseProxy);
}

/**
 * Reads a target.
 *
 * @throws {SyntaxError} If it is none.
 */
export function readTarget(target: TargetLike): Target {
  if (typeof target !== "string") return targetOf(target.host, target.port);
  const read = parseEndpoint(target);
  if ("path" in read) throw new SyntaxError(`Cannot read "${target}" as a target: expected HOST:PORT or [IPv6]:PORT`);
  return targetOf(read.host, read.port);
}
