/**
 * Blocks of addresses (RFC 4632).
 *
 * @module
 */

import { type IpAddress, ipFromBytes, ipToBytes, parseIp } from "./address.ts";

/** A block of addresses. */
export interface Cidr {
  /** Its first address, canonical. */
  readonly ip: IpAddress;
  /** How many leading bits its addresses share: 0 to 32, or to 128. */
  readonly bits: number;
}

/**
 * Reads an IP address or `ADDRESS/BITS`. A block of v4-mapped addresses is the IPv4 block within.
 *
 * @param text What the operator wrote. IPv4 addresses are written in full, with four numbers.
 * @returns The block; an address alone is a block of one.
 * @throws {RangeError} `expected …`, if it is neither, or if bits after the first `BITS` are set: the message names the
 * block that was probably meant.
 *
 * @example Read a block
 * ```ts
 * import { parseCidr } from "./cidr.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseCidr("10.0.0.0/8"), { ip: "10.0.0.0", bits: 8 });
 * assertEquals(parseCidr("2001:DB8::1"), { ip: "2001:db8::1", bits: 128 });
 * ```
 */
export function parseCidr(text: string): Cidr {
  const [address, length, ...rest] = text.split("/") as [string, ...string[]];
  const ip = parseIp(address);
  if (ip === undefined || address.startsWith("[") || rest.length > 0) {
    throw new RangeError("expected an IP address, or a block such as 10.0.0.0/8 or 2001:db8::/32");
  }
  const suffix = length === undefined ? "" : `/${length}`;
  if (!address.includes(":") && ip !== address) throw new RangeError(`expected "${ip}${suffix}", if that is meant`);
  const isMapped = address.includes(":") && !ip.includes(":");
  const [least, most] = isMapped ? [96, 128] : [0, ip.includes(":") ? 128 : 32];
  const written = length === undefined ? most : /^(?:0|[1-9]\d{0,2})$/.test(length) ? Number(length) : -1;
  if (written < least || written > most) throw new RangeError(`expected ${least} to ${most} bits after the slash`);
  const bits = written - least;
  const network = firstOf(ip, bits);
  if (network !== ip) throw new RangeError(`expected "${network}/${bits}", if that is meant`);
  return { ip, bits };
}

/** `10.0.0.0/8`; a block of one is written as its address. */
export function formatCidr({ ip, bits }: Cidr): string {
  return bits === (ip.includes(":") ? 128 : 32) ? ip : `${ip}/${bits}`;
}

/** The first address of the block that an address is in. */
function firstOf(ip: IpAddress, bits: number): IpAddress {
  const bytes = ipToBytes(ip);
  for (let i = 0; i < bytes.length; i++) {
    const ones = Math.min(8, Math.max(0, bits - 8 * i));
    bytes[i] = bytes[i]! & (0xff00 >> ones);
  }
  return ipFromBytes(bytes);
}
