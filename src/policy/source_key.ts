/**
 * Who a client is by its address.
 *
 * @module
 */

import { type IpAddress, ipToBytes } from "../net/address.ts";
import { embeddedIpv4 } from "../net/ip_class.ts";

/**
 * What clients at one place have in common: the IPv4 address, or the /64 of an IPv6 address, within which a client may
 * choose its address as it likes. An IPv6 address that stands for an IPv4 address (NAT64, 6to4) counts as that one.
 *
 * @param ip A canonical address.
 * @returns `192.0.2.1`, or `2001:db8:0:1::/64` with its four groups written without leading zeros.
 */
export function sourceKey(ip: IpAddress): string {
  if (!ip.includes(":")) return ip;
  if (!isPlain(ip)) {
    const inner = embeddedIpv4(ip);
    if (inner !== undefined) return inner;
  }
  const bytes = ipToBytes(ip);
  const group = (at: number): string => (bytes[at]! << 8 | bytes[at + 1]!).toString(16);
  return `${group(0)}:${group(2)}:${group(4)}:${group(6)}::/64`;
}

/** Whether an address is in ordinary global space, where it stands for nothing else. */
function isPlain(ip: IpAddress): boolean {
  return ip.startsWith("2") && !ip.startsWith("2002:");
}
