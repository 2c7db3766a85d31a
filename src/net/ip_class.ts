/**
 * What kind of place an IP address is.
 *
 * @module
 */

import ipaddr from "ipaddr.js";
import type { IpAddress } from "./address.ts";

/** The kinds of address that matter to access control; `global` is all the rest. */
export type IpClass =
  | "loopback"
  | "private"
  | "link-local"
  | "multicast"
  | "broadcast"
  | "unspecified"
  | "global";

/**
 * Tells what kind of place an address is. Addresses that carry an IPv4 address (NAT64, 6to4, v4-compatible) are what
 * that IPv4 address is, since that is where their packets end up.
 *
 * @param ip A canonical address.
 * @returns Its class. `private` holds RFC 1918, RFC 6598 (carrier-grade NAT), unique local and site-local addresses;
 * `unspecified` all of 0.0.0.0/8.
 */
export function classifyIp(ip: IpAddress): IpClass {
  if (ip.startsWith("127.")) return "loopback"; // what a local proxy is asked all day
  const inner = embeddedIpv4(ip) ?? ip;
  switch (ipaddr.parse(inner).range()) {
    case "loopback":
      return "loopback";
    case "private":
    case "uniqueLocal":
    case "carrierGradeNat":
      return "private";
    case "linkLocal":
      return "link-local";
    case "multicast":
      return "multicast";
    case "broadcast":
      return "broadcast";
    case "unspecified":
      return "unspecified";
    default:
      // Site-local addresses, deprecated by RFC 3879 and still routed inside; and local NAT64 (RFC 8215), whose
      // prefix length, and so the IPv4 address within, is known to its operator alone.
      return /^fe[c-f][0-9a-f]:|^64:ff9b:1:/.test(inner) ? "private" : "global";
  }
}

/** Whether an address means "any" or "this host": 0.0.0.0/8, ::, and what embeds them. */
export function isUnspecified(ip: IpAddress): boolean {
  return ip.includes(":") ? classifyIp(ip) === "unspecified" : ip.startsWith("0.");
}

/**
 * The IPv4 address that an IPv6 address stands for: v4-mapped (RFC 4291), v4-translated (RFC 2765), NAT64 (RFC 6052),
 * 6to4 (RFC 3056) or v4-compatible.
 *
 * @param ip A canonical address.
 * @returns The IPv4 address within, or `undefined` if there is none.
 */
export function embeddedIpv4(ip: IpAddress): IpAddress | undefined {
  if (!ip.includes(":")) return undefined;
  const bytes = ipaddr.IPv6.parse(ip).toByteArray();
  const at = (offset: number) => bytes.slice(offset, offset + 4).join(".");
  if (bytes[0] === 0x20 && bytes[1] === 0x02) return at(2); // 2002::/16
  const isZero = (from: number, to: number) => bytes.slice(from, to).every((byte) => byte === 0);
  if (ip.startsWith("64:ff9b:") && isZero(4, 12)) return at(12); // 64:ff9b::/96
  if (isZero(0, 8) && bytes[8] === 0xff && bytes[9] === 0xff && isZero(10, 12)) return at(12); // ::ffff:0:0:0/96
  if (!isZero(0, 10)) return undefined;
  if (bytes[10] === 0xff && bytes[11] === 0xff) return at(12); // ::ffff:0:0/96
  const compatible = isZero(10, 12) && !isZero(12, 15); // ::/96, but not :: nor ::1
  return compatible ? at(12) : undefined;
}
