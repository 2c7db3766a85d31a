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
      // ipaddr.js knows no site-local addresses (RFC 3879 deprecates fec0::/10, hosts still route it inside).
      return /^fe[c-f][0-9a-f]:/.test(inner) ? "private" : "global";
  }
}

/** Whether an address means "any" or "this host": 0.0.0.0/8, ::, and what embeds them. */
export function isUnspecified(ip: IpAddress): boolean {
  return ip.includes(":") ? classifyIp(ip) === "unspecified" : ip.startsWith("0.");
}

/**
 * The IPv4 address that an IPv6 address stands for: v4-mapped (RFC 4291), NAT64 (RFC 6052 and RFC 8215), 6to4
 * (RFC 3056) or v4-compatible.
 *
 * @param ip A canonical address.
 * @returns The IPv4 address within, or `undefined` if there is none.
 */
export function embeddedIpv4(ip: IpAddress): IpAddress | undefined {
  if (!ip.includes(":")) return undefined;
  const bytes = ipaddr.IPv6.parse(ip).toByteArray();
  const at = (offset: number) => bytes.slice(offset, offset + 4).join(".");
  if (bytes[0] === 0x20 && bytes[1] === 0x02) return at(2); // 2002::/16
  if (bytes[0] === 0x00 && bytes[1] === 0x64 && bytes[2] === 0xff && bytes[3] === 0x9b) return at(12); // 64:ff9b::/32
  if (bytes.slice(0, 10).some((byte) => byte !== 0)) return undefined;
  if (bytes[10] === 0xff && bytes[11] === 0xff) return at(12); // ::ffff:0:0/96
  const compatible = bytes[10] === 0 && bytes[11] === 0 && bytes.slice(12, 15).some((byte) => byte !== 0); // not ::, ::1
  return compatible ? at(12) : undefined;
}
