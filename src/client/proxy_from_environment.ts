/**
 * `ALL_PROXY` and `NO_PROXY`, as curl reads them.
 *
 * @module
 */

import { canonicalIp, ipToBytes, ipVersion, parseIp } from "../net/address.ts";
import { comparableName } from "../net/host_name.ts";
import { parseProxy, type Proxy } from "./proxy.ts";

/** The variables of an environment: `process.env`, or `Deno.env.toObject()`. */
export type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_PORTS: Readonly<Record<string, string>> = { "http:": "80", "https:": "443", "ws:": "80", "wss:": "443" };

/**
 * The proxy that the environment names for a URL: `all_proxy` or `ALL_PROXY`, unless `no_proxy` or `NO_PROXY` has its
 * host. Lower case wins. `NO_PROXY` is `*`, or a list, by commas or spaces, of names (with all names below them, whether
 * or not they begin with a dot), IP addresses and blocks such as `10.0.0.0/8`; each but a block may have a port.
 *
 * @param url Where to connect to.
 * @param env The variables.
 * @returns The proxy, or `undefined` to go directly.
 * @throws {SyntaxError} If the variable names no proxy that this client speaks to.
 *
 * @example
 * ```ts
 * import { proxyFromEnvironment } from "@x/socks/client";
 * import { assertEquals } from "@std/assert";
 *
 * const env = { ALL_PROXY: "socks5h://127.0.0.1:1080", NO_PROXY: "localhost,.example.com" };
 * assertEquals(proxyFromEnvironment("https://www.example.com/", env), undefined);
 * assertEquals(proxyFromEnvironment("https://example.org/", env)?.port, 1080);
 * ```
 */
export function proxyFromEnvironment(url: string | URL, env: Environment): Proxy | undefined {
  const proxy = env.all_proxy ?? env.ALL_PROXY;
  if (proxy === undefined || proxy === "") return undefined;
  const { protocol, hostname, port } = new URL(url);
  const exceptions = env.no_proxy ?? env.NO_PROXY ?? "";
  if (isExcepted(hostname, port === "" ? DEFAULT_PORTS[protocol] : port, exceptions)) return undefined;
  return parseProxy(proxy);
}

/** Whether a list of exceptions has a host. */
function isExcepted(hostname: string, port: string | undefined, list: string): boolean {
  if (list.trim() === "*") return true;
  const ip = parseIp(hostname);
  const host = ip ?? comparableName(hostname);
  return list.split(/[\s,]+/).some((item) => item !== "" && matches(item, host, ip !== undefined, port));
}

function matches(item: string, host: string, isIp: boolean, port: string | undefined): boolean {
  const [, bracketed, plain, itsPort] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(item) ?? [, undefined, item];
  if (itsPort !== undefined && itsPort !== port) return false;
  const text = bracketed ?? plain!;
  if (isIp) return text.includes("/") ? isInBlock(host, text) : parseIp(text) === host;
  const name = comparableName(text.replace(/^\./, ""));
  return name !== "" && (host === name || host.endsWith(`.${name}`));
}

/** curl takes a block whose address has bits beyond its length. */
function isInBlock(ip: string, block: string): boolean {
  const [address, length] = block.split("/") as [string, string];
  const first = parseIp(address);
  if (first === undefined || !/^\d{1,3}$/.test(length) || ipVersion(first) !== ipVersion(canonicalIp(ip))) return false;
  const [a, b, bits] = [ipToBytes(ip), ipToBytes(first), Number(length)];
  if (bits > a.length * 8) return false;
  return a.every((byte, at) => {
    const ones = Math.min(8, Math.max(0, bits - 8 * at));
    return ((byte ^ b[at]!) & (0xff00 >> ones) & 0xff) === 0;
  });
}
