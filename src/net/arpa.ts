/**
 * The names that addresses have in the DNS.
 *
 * @module
 */

import { type IpAddress, ipToBytes } from "./address.ts";

/**
 * The name that the names of an address are records of: `7.2.0.192.in-addr.arpa`, `…8.b.d.0.1.0.0.2.ip6.arpa`.
 *
 * @param ip A canonical address.
 */
export function arpaName(ip: IpAddress): string {
  const bytes = [...ipToBytes(ip)];
  if (bytes.length === 4) return `${bytes.reverse().join(".")}.in-addr.arpa`;
  const digits = bytes.flatMap((byte) => [byte >> 4, byte & 15]).reverse();
  return `${digits.map((digit) => digit.toString(16)).join(".")}.ip6.arpa`;
}
