/**
 * Asking proxies for lookups: Tor's RESOLVE and RESOLVE_PTR.
 *
 * @module
 */

import { type IpAddress, parseIp } from "../net/address.ts";
import { isUnspecified } from "../net/ip_class.ts";
import { type Target, targetOf } from "../protocol/address.ts";
import { Command } from "../protocol/constants.ts";
import { type ClientOptions, inTime } from "./client_options.ts";
import { dialThrough, type DialThroughContext } from "./dial_through.ts";
import type { Proxy } from "./proxy.ts";
import { ProxyError } from "./proxy_error.ts";

/**
 * Has the last proxy look a name up. Tor and this package's server can, and few others. The name is not looked up here,
 * whatever the proxy's scheme.
 *
 * @param name The name. An IP address is its own answer, and nobody is asked.
 * @param options The proxy, and how.
 * @returns An address of it; with SOCKS4 one of IPv4.
 * @throws {ProxyError} Whatever goes wrong on the way; `not-supported` if the proxy does not know the command.
 *
 * @example Ask a proxy for an address
 * ```ts
 * import { resolve } from "@x/socks/client";
 * import { memory, serve } from "@x/socks";
 * import { assertEquals } from "@std/assert";
 *
 * const runtime = memory({ hosts: { "www.example": ["192.0.2.7"] } });
 * await using server = await serve({ listen: "127.0.0.1:1080", runtime });
 * assertEquals(await resolve("www.example", { proxy: "socks5h://127.0.0.1", runtime }), "192.0.2.7");
 * ```
 */
export async function resolve(name: string, options: ClientOptions): Promise<IpAddress> {
  const ip = parseIp(name);
  if (ip !== undefined) return ip;
  return await ask({ type: "name", host: name, port: 0 }, options);
}

/**
 * Has the last proxy look up the name of an address.
 *
 * @param ip The address.
 * @param options The proxy, and how. SOCKS4 does not have this.
 * @returns A name of it. Whoever owns the address chose it: it proves nothing.
 * @throws {ProxyError} Whatever goes wrong on the way; `not-supported` if the proxy does not know the command.
 * @throws {RangeError} If it is no address.
 */
export async function resolvePtr(ip: IpAddress, options: ClientOptions): Promise<string> {
  const target = targetOf(ip, 0);
  if (target.type === "name") throw new RangeError(`Cannot resolve ${JSON.stringify(ip)}: it is no IP address`);
  return await ask(target, options);
}

async function ask(target: Target, options: ClientOptions): Promise<string> {
  return (await inTime(options, (hops, context) => lookUpThrough(hops, target, context))).host;
}

/**
 * Has the last proxy of a chain look something up.
 *
 * @param hops The proxies, at least one.
 * @param target A name, or an address whose name is wanted; without a port.
 * @param context What dialling needs.
 * @returns An address, or a name.
 * @throws {ProxyError} Whatever goes wrong.
 */
export async function lookUpThrough(
  hops: readonly Proxy[],
  target: Target,
  context: DialThroughContext,
): Promise<Target> {
  const isName = target.type === "name";
  const command = isName ? Command.RESOLVE : Command.RESOLVE_PTR;
  const { connection, bound } = await dialThrough(hops, target, { ...context, command });
  connection.close();
  if (isName ? bound.type !== "name" && !isUnspecified(bound.host) : bound.type === "name") return bound;
  const hop = hops.length - 1;
  const place = { hop, isLast: true, proxy: hops[hop]!, phase: "reply" } as const;
  throw new ProxyError(place, "not-supported", `it answered "${bound.host}", which is not what was asked for`);
}
