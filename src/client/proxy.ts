/**
 * Proxies, as URLs and as values.
 *
 * @module
 */

import { formatHostPort, parseIp } from "../net/address.ts";
import { mistake } from "../policy/mistake.ts";

/**
 * What to speak to a proxy. `socks4` and `socks5` resolve names here, `socks4a`, `socks5h` and `http` (CONNECT) leave them
 * to the proxy.
 */
export type ProxyScheme = "socks4" | "socks4a" | "socks5" | "socks5h" | "http";

/** How to log in by GSSAPI, with the credentials that the system has. */
export interface GssapiLogin {
  /**
   * The service part of the proxy's name, `SERVICE@HOST`; or all of it, `rcmd@proxy.example` or
   * `rcmd/proxy.example@EXAMPLE.ORG`, where the proxy is called by another name.
   *
   * @default {"rcmd"}
   */
  readonly service?: string | undefined;
  /**
   * What becomes of all bytes that follow.
   *
   * @default {"confidentiality"}
   */
  readonly level?: "integrity" | "confidentiality" | undefined;
}

/** A SOCKS or HTTP proxy. */
export interface Proxy {
  /** What to speak to it. */
  readonly scheme: ProxyScheme;
  /** A name or an IP address. */
  readonly host: string;
  /** The port, 1 to 65535. */
  readonly port: number;
  /**
   * Whether TLS is spoken to it (`socks5+tls://`, `http+tls://` or `https://`).
   *
   * @default {false}
   */
  readonly tls?: boolean | undefined;
  /** The user name; with SOCKS4 the USERID. */
  readonly user?: string | undefined;
  /** The password; SOCKS4 has none. */
  readonly password?: string | undefined;
  /**
   * Whether to prove to know the password by CHAP, and in no other way (`socks5+chap://`): then it is not sent. With
   * `mutual` (`socks5+chap+mutual://`) the proxy must prove to know it, too.
   *
   * @default {false}
   */
  readonly chap?: boolean | "mutual" | undefined;
  /**
   * How to log in by GSSAPI, and in no other way; `socks5+gssapi://` is `{}`.
   *
   * @default Not at all.
   */
  readonly gssapi?: GssapiLogin | undefined;
}

/** A proxy as one may write it: a URL, such as `socks5h://ada:secret@proxy.example:1080`, or a value. */
export type ProxyLike = string | URL | Proxy;

const SCHEME = /^(socks(?:4a?|5h?)|http)((?:\+(?:tls|chap|mutual|gssapi))*):$/;
const SCHEMES = "socks4, socks4a, socks5, socks5h or http";

/**
 * Reads a proxy's URL: `socks4`, `socks4a`, `socks5`, `socks5h` or `http`, each also with `+tls` (`https` is `http+tls`),
 * and those of SOCKS5 with `+chap`, `+chap+mutual` or `+gssapi`; user and password percent-encoded. Unless it says
 * otherwise the port is 1080, that of `http` 80 and with TLS 443. A value is checked and given back.
 *
 * @param from The URL or the value.
 * @returns The proxy.
 * @throws {SyntaxError} If it is none. The message holds no login.
 *
 * @example Read a URL
 * ```ts
 * import { parseProxy } from "@x/socks/client";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseProxy("socks5h://[::1]"), { scheme: "socks5h", host: "::1", port: 1080 });
 * ```
 */
export function parseProxy(from: ProxyLike): Proxy {
  return checked(typeof from === "string" || from instanceof URL ? read(from) : from);
}

/** The URL of a proxy without its login, for messages and logs. */
export function formatProxy({ scheme, tls, chap, gssapi, host, port }: Proxy): string {
  const login = gssapi !== undefined ? "+gssapi" : chap === "mutual" ? "+chap+mutual" : chap === true ? "+chap" : "";
  return `${scheme}${tls === true ? "+tls" : ""}${login}://${formatHostPort(host, port)}`;
}

/** Whether names are left to the proxy. */
export function resolvesNames({ scheme }: Proxy): boolean {
  return scheme === "socks4a" || scheme === "socks5h" || scheme === "http";
}

/** Whether SOCKS4 or 4a is spoken. */
export function isSocks4({ scheme }: Proxy): boolean {
  return scheme === "socks4" || scheme === "socks4a";
}

function read(from: string | URL): Proxy {
  let url: URL;
  try {
    url = new URL(from);
  } catch {
    throw wrong("found no URL, expected one such as socks5://127.0.0.1:1080");
  }
  const scheme = SCHEME.exec(url.protocol === "https:" ? "http+tls:" : url.protocol);
  if (scheme === null) {
    // What looks like a scheme may be the user name of a URL that lacks one.
    throw wrong(
      `found another scheme, expected ${SCHEMES}, each also with +tls, or those of SOCKS5 with +chap, +gssapi`,
    );
  }
  if (!/^\/?$/.test(url.pathname) || url.search !== "" || url.hash !== "") {
    throw wrong("found more after the port, expected none");
  }
  const host = decoded(url.hostname, "host");
  const user = decoded(url.username, "user name");
  const password = decoded(url.password, "password");
  const more = scheme[2]!.split("+");
  if (more.includes("mutual") && !more.includes("chap")) throw wrong("found mutual, expected it with chap alone");
  return {
    scheme: scheme[1] as ProxyScheme,
    host: parseIp(host) ?? host,
    port: url.port !== "" ? Number(url.port) : scheme[1] !== "http" ? 1080 : more.includes("tls") ? 443 : 80,
    ...(more.includes("tls") ? { tls: true } : {}),
    ...(more.includes("chap") ? { chap: more.includes("mutual") ? "mutual" : true } : {}),
    ...(more.includes("gssapi") ? { gssapi: {} } : {}),
    ...(user === "" && password === "" ? {} : { user }),
    ...(password === "" ? {} : { password }),
  };
}

function checked(proxy: Proxy): Proxy {
  const { scheme, host, port, user, password } = proxy;
  if (SCHEME.exec(`${scheme}:`)?.[2] !== "") {
    throw wrong(mistake(scheme, SCHEMES).message);
  }
  if (typeof host !== "string" || host === "" || host.length > 255) {
    throw wrong("found no host, expected a name or an IP address");
  }
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw wrong(mistake(port, "a port, 1 to 65535").message);
  if (isSocks4(proxy) && password !== undefined) {
    throw wrong("found a password, expected none: SOCKS4 has no such thing");
  }
  if (byteLength(user) > 255 || byteLength(password) > 255) {
    throw wrong("found a long user name or password, expected at most 255 bytes of each");
  }
  checkLogin(proxy);
  return proxy;
}

function checkLogin(proxy: Proxy): void {
  const { scheme, user = "", password = "", chap = false, gssapi } = proxy;
  if (scheme === "http" && user.includes(":")) {
    throw wrong("found a colon in the user name, expected none: HTTP has none");
  }
  if (chap === false && gssapi === undefined) return;
  if (isSocks4(proxy)) throw wrong("found a login by CHAP or GSSAPI, expected none: SOCKS4 has no such thing");
  if (scheme === "http") throw wrong("found a login by CHAP or GSSAPI, expected none: only SOCKS5 has such a thing");
  if (chap === false) return;
  if (gssapi !== undefined) throw wrong("found logins by CHAP and by GSSAPI, expected one of them");
  if (chap !== true && chap !== "mutual") throw wrong(mistake(chap, 'true, false or "mutual" for chap').message);
  if (user === "" || password === "") throw wrong("found no user or no password, expected both: CHAP proves them");
}

function decoded(text: string, what: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw wrong(`found a ${what} with a lone %, expected %25 for it`);
  }
}

function byteLength(text: string | undefined): number {
  return text === undefined ? 0 : new TextEncoder().encode(text).length;
}

function wrong(problem: string): SyntaxError {
  return new SyntaxError(`Cannot read the proxy: ${problem}`);
}
