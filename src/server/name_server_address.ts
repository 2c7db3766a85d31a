/**
 * Addresses of name servers as people write them.
 *
 * @module
 */

import { parseIp, type SocketAddress } from "../net/address.ts";
import { parseEndpoint } from "../net/endpoint.ts";
import { mistake } from "../policy/mistake.ts";

/** The port that name servers listen on. */
const DNS_PORT = 53;

/**
 * Reads the address of a name server: `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`.
 *
 * @param text What the operator wrote.
 * @returns The address; the port is 53 unless it says another.
 * @throws {RangeError} If it is none.
 */
export function parseNameServer(text: string): SocketAddress {
  const ip = parseIp(text);
  if (ip !== undefined) return { ip, port: DNS_PORT };
  const endpoint = readEndpoint(text);
  const host = endpoint !== undefined && "host" in endpoint ? parseIp(endpoint.host) : undefined;
  if (host === undefined || !("port" in endpoint!) || endpoint.port === 0) {
    throw mistake(text, "IP, IP:PORT or [IPv6]:PORT (port 1 to 65535)");
  }
  return { ip: host, port: endpoint.port };
}

function readEndpoint(text: string): ReturnType<typeof parseEndpoint> | undefined {
  try {
    return parseEndpoint(text);
  } catch {
    return undefined;
  }
}
