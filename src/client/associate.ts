/**
 * Datagrams through a proxy.
 *
 * @module
 */

import { ipVersion } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { NO_ADDRESS } from "../protocol/address.ts";
import { Command } from "../protocol/constants.ts";
import { reachable } from "./bind.ts";
import { type ClientOptions, inTime, lookupOf } from "./client_options.ts";
import { DatagramTunnel } from "./datagram_tunnel.ts";
import { dialThrough, type DialThroughContext } from "./dial_through.ts";
import type { Proxy } from "./proxy.ts";
import { ProxyError, proxyError } from "./proxy_error.ts";
import { currentRuntime } from "../runtime/detect.ts";

/**
 * Has a SOCKS5 proxy relay datagrams. They go to it as they are, past TLS.
 *
 * @param options The proxy, and how. Of one proxy alone: a chain cannot carry datagrams.
 * @returns An open socket; close it.
 * @throws {ProxyError} Whatever goes wrong on the way.
 *
 * @example Ask through a proxy
 * ```ts
 * import { associate } from "@x/socks/client";
 * import { memory, serve } from "@x/socks";
 * import { assertEquals } from "@std/assert";
 *
 * const runtime = memory();
 * await using server = await serve({ listen: "127.0.0.1:1080", rules: { request: () => undefined }, runtime });
 * const echo = await runtime.bindDatagram({
 *   address: { ip: "127.0.0.1", port: 7 },
 *   onDatagram: (bytes, ip, port) => echo.send(bytes, ip, port),
 * });
 *
 * const socket = await associate({ proxy: "socks5://127.0.0.1", runtime });
 * await socket.send(new TextEncoder().encode("hello"), "127.0.0.1:7");
 * for await (const { data, source } of socket) {
 *   assertEquals([new TextDecoder().decode(data), source.port], ["hello", 7]);
 *   break; // closes the socket
 * }
 * echo.close();
 * ```
 */
export async function associate(options: ClientOptions): Promise<DatagramTunnel> {
  const runtime = options.runtime ?? await currentRuntime();
  return await inTime({ ...options, runtime }, async (hops, context) => {
    const proxy = hops[0]!;
    if (hops.length > 1) {
      const place = { hop: 1, proxy: hops[1]!, phase: "request" } as const;
      throw new ProxyError(place, "not-supported", "a chain of proxies cannot carry datagrams");
    }
    // The proxy learns from the first datagram where we send from: an address of ours may be another behind NAT.
    const { connection, bound } = await dialThrough(hops, NO_ADDRESS, { ...context, command: Command.UDP_ASSOCIATE });
    try {
      const relay = await addressOf(reachable(bound, hops, connection), context);
      const local = connection.local?.ip;
      const version = ipVersion(relay.ip);
      const ip = local !== undefined && ipVersion(local) === version ? local : version === 4 ? "0.0.0.0" : "::";
      return await DatagramTunnel.open({ connection, relay, ip, proxy, runtime, lookup: lookupOf(options, runtime) });
    } catch (error) {
      connection.close();
      throw placed(error, proxy, context);
    }
  });
}

/** The address of what the proxy named as its relay. */
async function addressOf(relay: { readonly type: string; readonly host: string; readonly port: number }, {
  lookup,
  signal,
}: DialThroughContext): Promise<{ readonly ip: string; readonly port: number }> {
  const ip = relay.type === "name" ? (await lookup(relay.host, signal))[0] : relay.host;
  if (ip === undefined) throw new NetError("name-not-found", `Cannot look up "${relay.host}": no address`);
  return { ip, port: relay.port };
}

function placed(error: unknown, proxy: Proxy, { signal }: DialThroughContext): ProxyError {
  return proxyError(signal.aborted ? signal.reason : error, { hop: 0, proxy, phase: "reply" });
}
