/**
 * Associating with proxies, one through the other.
 *
 * @module
 */

import { type IpAddress, ipVersion } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { NO_ADDRESS, type Target, targetOf } from "../protocol/address.ts";
import { Command } from "../protocol/constants.ts";
import { DatagramPath, type OnProxiedDatagram } from "./datagram_path.ts";
import { type DialledThrough, dialThrough, type DialThroughContext } from "./dial_through.ts";
import { type Proxy, resolvesNames } from "./proxy.ts";
import { ProxyError, proxyError } from "./proxy_error.ts";
import { reachableRelay } from "./reachable.ts";

/**
 * Has a chain of SOCKS5 proxies relay datagrams: each is reached through those before it, and so are its datagrams.
 *
 * @param hops The proxies, at least one; the first is connected to directly.
 * @param context What it needs. The signal is for the opening alone.
 * @param onDatagram Is given what comes.
 * @returns The open way; close it.
 * @throws {ProxyError} Whatever goes wrong; `not-supported` for a proxy that is none of SOCKS5, and for a login
 * that wraps datagrams at another proxy than the first.
 */
export async function associateThrough(
  hops: readonly Proxy[],
  context: DialThroughContext,
  onDatagram: OnProxiedDatagram,
): Promise<DatagramPath> {
  for (const [hop, proxy] of hops.entries()) {
    if (carriesDatagrams(proxy)) continue;
    throw new ProxyError({ hop, proxy, phase: "request" }, "not-supported", "only SOCKS5 can carry datagrams");
  }
  const held = await hold(hops, context);
  let hop = 0;
  try {
    const relays = held.map(({ connection, bound }, at) => reachableRelay(bound, hops.slice(0, at + 1), connection));
    const relay = { ip: await addressOf(relays[0]!, undefined, context), port: relays[0]!.port };
    const further: Target[] = [];
    while (++hop < hops.length) {
      if (held[hop]!.datagrams !== undefined) {
        throw new NetError("not-supported", "its login wraps datagrams, which only the first proxy's may");
      }
      const next = relays[hop]!;
      const isKept = next.type !== "name" || resolvesNames(hops[hop - 1]!);
      further.push(isKept ? next : targetOf(await addressOf(next, relays[hop - 1], context), next.port));
    }
    hop = 0;
    const local = held[0]!.connection.local?.ip;
    const version = ipVersion(relay.ip);
    const ip = local !== undefined && ipVersion(local) === version ? local : version === 4 ? "0.0.0.0" : "::";
    const controls = held.map(({ connection }) => connection);
    return await DatagramPath.open({ controls, relay, further, ip, runtime: context.runtime, onDatagram });
  } catch (error) {
    for (const { connection } of held) connection.close();
    const { signal } = context;
    throw proxyError(signal.aborted ? signal.reason : error, { hop, proxy: hops[hop]!, phase: "reply" });
  }
}

/** Whether a proxy can carry datagrams, as far as its protocol goes. */
export function carriesDatagrams({ scheme }: Proxy): boolean {
  return scheme === "socks5" || scheme === "socks5h";
}

/** Associates with all proxies at once. None stays if one fails. */
async function hold(hops: readonly Proxy[], context: DialThroughContext): Promise<readonly DialledThrough[]> {
  const { signal } = context;
  const others = new AbortController();
  const abort = (): void => others.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  // The proxy learns from the first datagram where we send from: an address of ours may be another behind NAT.
  const dial = { ...context, signal: others.signal, command: Command.UDP_ASSOCIATE };
  let failure: { readonly error: unknown } | undefined;
  const outcomes = await Promise.all(hops.map(async (_, last) => {
    try {
      return await dialThrough(hops.slice(0, last + 1), NO_ADDRESS, dial);
    } catch (error) {
      failure ??= { error };
      others.abort(error);
      return undefined;
    }
  }));
  signal.removeEventListener("abort", abort);
  const held = outcomes.filter((outcome) => outcome !== undefined);
  if (failure === undefined) return held;
  for (const { connection } of held) connection.close();
  throw failure.error;
}

/** The address of what a proxy named as its relay; best one like that of the relay before it, which is to reach it. */
async function addressOf(
  relay: Target,
  before: Target | undefined,
  { lookup, signal }: DialThroughContext,
): Promise<IpAddress> {
  if (relay.type !== "name") return relay.host;
  const ips = await lookup(relay.host, signal);
  const ip = ips.find((ip) => before !== undefined && (ipVersion(ip) === 6) === (before.type === "ipv6")) ?? ips[0];
  if (ip === undefined) throw new NetError("name-not-found", `Cannot look up "${relay.host}": no address`);
  return ip;
}
