/**
 * Connecting through proxies.
 *
 * @module
 */

import type { Connection, Duplex } from "../runtime/runtime.ts";
import { type ClientOptions, inTime, readTarget, type TargetLike } from "./client_options.ts";
import { dialThrough } from "./dial_through.ts";

/** How to connect through proxies. */
export interface ConnectThroughOptions extends ClientOptions {
  /** What the target is to receive first; it goes out with the request. Only with `optimistic`. */
  readonly payload?: Uint8Array | undefined;
}

/**
 * Connects to a target through a SOCKS proxy, or a chain of them.
 *
 * @param target Where to.
 * @param options The proxy, and how.
 * @returns The connection, with the streams and the calls of one that the runtime made; `remote` is the first proxy.
 * @throws {ProxyError} Whatever goes wrong on the way.
 * @throws {SyntaxError} If the proxy or the target cannot be read.
 *
 * @example Say hello through a proxy
 * ```ts
 * import { connect } from "@x/socks/client";
 * import { memory, serve } from "@x/socks";
 * import { assertEquals } from "@std/assert";
 *
 * const runtime = memory();
 * await using server = await serve({ listen: "127.0.0.1:1080", rules: { request: () => undefined }, runtime });
 * const echo = await runtime.listen({ address: { ip: "127.0.0.1", port: 7 } });
 * const echoing = echo[Symbol.asyncIterator]().next().then(({ value }) => value!.readable.pipeTo(value!.writable));
 *
 * const connection = await connect("localhost:7", { proxy: "socks5h://127.0.0.1", runtime });
 * const writer = connection.writable.getWriter();
 * writer.write(new TextEncoder().encode("hello"));
 * writer.close();
 * assertEquals(await new Response(connection.readable).text(), "hello");
 * await echoing;
 * echo.close();
 * ```
 */
export function connect(target: TargetLike, options: ConnectThroughOptions): Promise<Connection & Duplex> {
  return inTime(options, async (hops, context) => {
    const { payload } = options;
    if (payload !== undefined && options.optimistic !== true) {
      throw new TypeError("Cannot connect: found a payload, expected it with `optimistic: true` alone");
    }
    return (await dialThrough(hops, readTarget(target), { ...context, payload })).connection;
  });
}
