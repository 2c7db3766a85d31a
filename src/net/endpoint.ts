/**
 * Listen addresses as people write them.
 *
 * @module
 */

import { parseIp, type UnixAddress } from "./address.ts";

/** A host, by name or IP address, and a port. */
export interface HostPort {
  /** A name or a canonical IP address. */
  readonly host: string;
  /** The port, 0 to 65535. */
  readonly port: number;
}

/**
 * Reads `HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`.
 *
 * @param text What the operator wrote.
 * @returns The host and port, or the path.
 * @throws {SyntaxError} If the text is none of these.
 *
 * @example Read a listen address
 * ```ts
 * import { parseEndpoint } from "@x/socks";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseEndpoint("[::1]:1080"), { host: "::1", port: 1080 });
 * assertEquals(parseEndpoint("unix:/run/socks.sock"), { path: "/run/socks.sock" });
 * ```
 */
export function parseEndpoint(text: string): HostPort | UnixAddress {
  if (text.startsWith("unix:")) {
    const path = text.slice(5);
    if (path === "" || path.includes("\0")) throw wrong(text);
    return { path };
  }
  const match = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  if (match === null) throw wrong(text);
  const port = Number(match[3]);
  const host = match[1] === undefined ? parseIp(match[2]!) ?? match[2]! : parseIp(match[1]);
  if (host === undefined || port > 65535) throw wrong(text);
  return { host, port };
}

function wrong(text: string): SyntaxError {
  return new SyntaxError(
    `Cannot read "${text}" as an address: expected HOST:PORT, [IPv6]:PORT (port 0 to 65535) or unix:PATH`,
  );
}
