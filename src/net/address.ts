/**
 * IP addresses, socket addresses and what people write for them.
 *
 * @module
 */

import ipaddr from "ipaddr.js";

/** An IP address as canonical text: `192.0.2.1`, or RFC 5952 form such as `2001:db8::1`. Never v4-mapped. */
export type IpAddress = string;

/** An IP address and a port. */
export interface SocketAddress {
  /** The address, as canonical text. */
  readonly ip: IpAddress;
  /** The port, 0 to 65535. */
  readonly port: number;
}

/** A UNIX-domain socket, by its path. */
export interface UnixAddress {
  /** The path in the file system. */
  readonly path: string;
}

/** Whether an address is that of a UNIX-domain socket. */
export function isUnixAddress(address: SocketAddress | UnixAddress): address is UnixAddress {
  return "path" in address;
}

/** The version of a canonical IP address. */
export function ipVersion(ip: IpAddress): 4 | 6 {
  return ip.includes(":") ? 6 : 4;
}

/**
 * Reads an IP address in any form that `inet_aton` or `inet_pton` would take, since a resolver would take them too:
 * dotted, decimal (`2130706433`), octal (`0177.0.0.1`), hexadecimal (`0x7f.1`), IPv6, IPv6 in brackets, v4-mapped.
 *
 * @param text What the peer or the operator wrote.
 * @returns The canonical address, or `undefined` when the text is not an address. Zone ids are not addresses.
 */
export function parseIp(text: string): IpAddress | undefined {
  if (isDottedQuad(text)) return text;
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  if (bare.includes("%")) return undefined;
  if (bare.includes(":")) return ipaddr.IPv6.isValid(bare) ? formatIp(ipaddr.IPv6.parse(bare)) : undefined;
  return bare === text && ipaddr.IPv4.isValid(bare) ? ipaddr.IPv4.parse(bare).toString() : undefined;
}

/**
 * Reads an IP address from its bytes in network order.
 *
 * @param bytes 4 or 16 bytes.
 * @returns The canonical address; a v4-mapped one becomes its IPv4 address.
 */
export function ipFromBytes(bytes: Uint8Array): IpAddress {
  if (bytes.length === 4) return `${bytes[0]}.${bytes[1]}.${bytes[2]}.${bytes[3]}`;
  return formatIp(new ipaddr.IPv6(Array.from(bytes)));
}

/**
 * Writes an IP address as bytes in network order.
 *
 * @param ip A canonical address.
 * @returns 4 or 16 bytes.
 */
export function ipToBytes(ip: IpAddress): Uint8Array {
  if (!ip.includes(":")) {
    const bytes = new Uint8Array(4);
    for (let i = 0, at = 0; i < ip.length; i++) {
      const code = ip.charCodeAt(i);
      if (code === 0x2e) at++;
      else bytes[at] = bytes[at]! * 10 + code - 0x30;
    }
    return bytes;
  }
  return Uint8Array.from(ipaddr.IPv6.parse(ip).toByteArray());
}

/** The canonical form of an address that a runtime reported: no zone id, no v4-mapping. */
export function canonicalIp(reported: string): IpAddress {
  if (!reported.includes(":")) return reported;
  const zone = reported.indexOf("%");
  const bare = zone < 0 ? reported : reported.slice(0, zone);
  return parseIp(bare) ?? bare;
}

/** `192.0.2.1:80`, `[2001:db8::1]:80` or `unix:/run/socks`. */
export function formatAddress(address: SocketAddress | UnixAddress): string {
  return isUnixAddress(address) ? `unix:${address.path}` : formatHostPort(address.ip, address.port);
}

/** Joins a host (name or IP address) and a port; an IPv6 address gets brackets. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function formatIp(ip: ipaddr.IPv6): IpAddress {
  return ip.isIPv4MappedAddress() ? ip.toIPv4Address().toString() : ip.toRFC5952String();
}

/** Canonical IPv4 is nearly all that a hot path sees; this tells it apart without allocating. */
function isDottedQuad(text: string): boolean {
  const length = text.length;
  if (length < 7 || length > 15) return false;
  let parts = 0, digits = 0, value = 0;
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code === 0x2e) {
      if (digits === 0 || ++parts > 3) return false;
      digits = value = 0;
      continue;
    }
    if (code < 0x30 || code > 0x39) return false;
    if (digits > 0 && value === 0) return false; // a leading zero means octal
    value = value * 10 + code - 0x30;
    if (++digits > 3 || value > 255) return false;
  }
  return parts === 3 && digits > 0;
}
