/**
 * Datagrams through a proxy.
 *
 * @module
 */

import { currentRuntime } from "../runtime/detect.ts";
import { associateThrough } from "./associate_through.ts";
import { type ClientOptions, inTime, lookupOf } from "./client_options.ts";
import { DatagramTunnel } from "./datagram_tunnel.ts";
import { resolvesNames } from "./proxy.ts";

/**
 * Has a SOCKS5 proxy, or a chain of them, relay datagrams. They go as they are, past TLS; through a chain each proxy
 * takes them to the next one, with a header of up to 22 bytes for each, or more for one that is named.
 *
 * @param options The proxy, or the chain, and how. All must speak SOCKS5.
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
    return await DatagramTunnel.open({
      open: (onDatagram) => associateThrough(hops, context, onDatagram),
      lookup: resolvesNames(hops.at(-1)!) ? undefined : lookupOf(options, runtime),
    });
  });
}
