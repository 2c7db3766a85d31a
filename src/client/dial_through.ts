/**
 * Dialling through proxies, one after the other.
 *
 * @module
 */

import type { DatagramCodec } from "../auth/method.ts";
import { codecOf } from "../auth/wrapped_datagrams.ts";
import { type IpAddress, ipVersion, type SocketAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { type Target, targetOf } from "../protocol/address.ts";
import { Command, Reply, Socks4Reply } from "../protocol/constants.ts";
import type { Connection, Duplex, Runtime } from "../runtime/runtime.ts";
import { duplexOf } from "../stream/duplex_of.ts";
import type { ClientMethod } from "./client_method.ts";
import { handshake, type Handshaken } from "./handshake.ts";
import { isSocks4, type Proxy, resolvesNames } from "./proxy.ts";
import { ProxyError, proxyError, type ProxyPhase, type ProxyPlace } from "./proxy_error.ts";
import { interleaveFamilies, race } from "./race.ts";

/** Resolves a name here. */
export type LookupHere = (name: string, signal: AbortSignal) => Promise<readonly IpAddress[]>;

/** What dialling through proxies needs. */
export interface DialThroughContext {
  /** The system. */
  readonly runtime: Runtime;
  /** Ends it when it aborts, with its reason. */
  readonly signal: AbortSignal;
  /** Resolves names that are not left to a proxy. It must heed the signal. */
  readonly lookup: LookupHere;
  /**
   * Connects to the first proxy.
   *
   * @default Looks its name up and races the addresses.
   */
  readonly connect?: ((first: Target, signal: AbortSignal) => Promise<Connection>) | undefined;
  /**
   * The addresses to go to in place of the target's name, best first; tried one after the other.
   *
   * @default The name, or what `lookup` says where the last proxy does not resolve names.
   */
  readonly addresses?: (() => Promise<readonly SocketAddress[]>) | undefined;
  /** See `HandshakeOptions`. */
  readonly optimistic?: boolean | undefined;
  /** See `HandshakeOptions`. */
  readonly methods?: readonly ClientMethod[] | undefined;
  /** Called when the last proxy has been asked: what is waited for from now on is the target. */
  readonly asked?: (() => void) | undefined;
  /** See `TlsOptions`. */
  readonly authorities?: readonly string[] | undefined;
  /**
   * What to ask the last proxy for.
   *
   * @default {Command.CONNECT}
   */
  readonly command?: number | undefined;
  /** What the target is to receive first; only with `optimistic`. */
  readonly payload?: Uint8Array | undefined;
}

/** What dialling through proxies leads to. */
export interface DialledThrough extends Handshaken {
  /** The target, as the last proxy was told it. */
  readonly target: Target;
  /** What the login at the last proxy puts around datagrams, if it does. */
  readonly datagrams?: DatagramCodec | undefined;
}

/**
 * Dials a target through a chain of proxies. Each is asked for the next one, and the last for the target; names are left
 * to those that resolve them. Where the last one does not, the addresses are tried one after the other.
 *
 * @param hops The proxies, at least one; the first is connected to directly.
 * @param target The target.
 * @returns The connection that leads to the first proxy, now to the target, as `Runtime.connect` made it unless a proxy
 * speaks TLS; and what the last proxy said.
 * @throws {ProxyError} Whatever goes wrong.
 */
export async function dialThrough(
  hops: readonly Proxy[],
  target: Target,
  context: DialThroughContext,
): Promise<DialledThrough> {
  const last = hops.length - 1;
  const isLookup = context.command === Command.RESOLVE; // the name is what it is about
  const candidates = isLookup ? [target] : await sayable(target, hops, last, context, context.addresses);
  for (const [at, candidate] of candidates.entries()) {
    try {
      return { ...await through(hops, candidate, context), target: candidate };
    } catch (error) {
      if (at === candidates.length - 1 || !isOfTarget(error, last)) throw error;
    }
  }
  throw new RangeError("Cannot dial: found no address");
}

/** Waits for a promise, or for a signal to abort. */
export function withSignal<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

async function through(
  hops: readonly Proxy[],
  target: Target,
  context: DialThroughContext,
): Promise<Omit<DialledThrough, "target">> {
  const { signal, optimistic, methods } = context;
  let connection = await reach(hops[0]!, context);
  for (const [hop, proxy] of hops.entries()) {
    const isLast = hop === hops.length - 1;
    if (proxy.tls === true) connection = await secure(connection, proxy, hop, context);
    let next = target;
    if (!isLast) {
      try {
        next = (await sayable(targetOf(hops[hop + 1]!.host, hops[hop + 1]!.port), hops, hop, context))[0]!;
      } catch (error) {
        connection.close();
        throw error;
      }
    }
    const request = {
      command: isLast ? context.command ?? Command.CONNECT : Command.CONNECT,
      target: next,
      payload: isLast ? context.payload : undefined,
    };
    const handshaken = await handshake(connection, proxy, request, {
      hop,
      isLast,
      optimistic,
      methods,
      asked: isLast ? context.asked : undefined,
      signal,
    });
    if (isLast) {
      const isWrapped = handshaken.connection !== connection; // else it is another's that it goes through
      return { ...handshaken, datagrams: isWrapped ? codecOf(handshaken.connection) : undefined };
    }
    connection = handshaken.connection;
  }
  throw new RangeError("Cannot dial: found no proxy, expected at least one");
}

/** Connects to the first proxy. */
async function reach(proxy: Proxy, context: DialThroughContext): Promise<Connection & Duplex> {
  const { runtime, signal } = context;
  try {
    if (signal.aborted) throw signal.reason;
    const target = targetOf(proxy.host, proxy.port);
    if (context.connect !== undefined) return duplexOf(await context.connect(target, signal));
    const ips = target.type === "name" ? await context.lookup(target.host, signal) : [target.host];
    if (ips.length === 0) throw new NetError("name-not-found", `Cannot look up "${target.host}": no address`);
    const addresses = interleaveFamilies(ips.map((ip) => ({ ip, port: target.port })));
    return duplexOf(await race(addresses, (to, signal) => runtime.connect(to, { signal }), signal));
  } catch (error) {
    throw placed(error, proxy, 0, "dial", signal);
  }
}

async function secure(
  connection: Connection & Duplex,
  proxy: Proxy,
  hop: number,
  { runtime, authorities, signal }: DialThroughContext,
): Promise<Connection & Duplex> {
  try {
    if (runtime.startTls === undefined) {
      throw new NetError("not-supported", `the runtime "${runtime.name}" has no means to speak TLS`);
    }
    return await runtime.startTls(connection, { serverName: proxy.host, authorities, signal });
  } catch (error) {
    connection.close();
    throw placed(error, proxy, hop, "tls", signal);
  }
}

/** A target in the forms that a proxy is to be told, best first. */
async function sayable(
  target: Target,
  hops: readonly Proxy[],
  hop: number,
  { lookup, signal }: DialThroughContext,
  addresses?: DialThroughContext["addresses"],
): Promise<readonly Target[]> {
  const proxy = hops[hop]!;
  const place: ProxyPlace = { hop, proxy, phase: "request", isLast: hop === hops.length - 1 };
  if (addresses === undefined && (target.type !== "name" || resolvesNames(proxy))) return [target];
  const { host, port } = target;
  try {
    const found = await addresses?.() ?? (await lookup(host, signal)).map((ip) => ({ ip, port }));
    const usable = found.filter(({ ip }) => ipVersion(ip) === 4 || !isSocks4(proxy));
    if (usable.length > 0) return interleaveFamilies(usable).map(asTarget);
  } catch (error) {
    throw proxyError(signal.aborted ? signal.reason : error, place);
  }
  const wanted = isSocks4(proxy) ? "no IPv4 address, and SOCKS4 can say no other" : "no address";
  throw proxyError(new NetError("name-not-found", `Cannot look up "${host}": ${wanted}`), place);
}

function asTarget({ ip, port }: { readonly ip: IpAddress; readonly port: number }): Target {
  return targetOf(ip, port);
}

/** Whether the last proxy could not reach this address, so that another is worth trying. */
function isOfTarget(error: unknown, last: number): boolean {
  if (!(error instanceof ProxyError) || error.hop !== last || error.reply === undefined) return false;
  return error.reply !== Reply.NOT_ALLOWED && error.reply !== Reply.COMMAND_NOT_SUPPORTED &&
    error.reply !== Socks4Reply.NO_IDENTD && error.reply !== Socks4Reply.USER_MISMATCH;
}

function placed(error: unknown, proxy: Proxy, hop: number, phase: ProxyPhase, signal?: AbortSignal): ProxyError {
  return proxyError(signal?.aborted ? signal.reason : error, { hop, proxy, phase });
}
