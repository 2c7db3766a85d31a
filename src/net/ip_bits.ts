/**
 * IP addresses as numbers, to be masked and compared without allocating.
 *
 * @module
 */

import { type IpAddress, ipToBytes } from "./address.ts";

/** An address as up to four words of 32 bits, the first ones first. An IPv4 address is `a` alone; the rest is 0. */
export interface IpBits {
  /** Whether it is an IPv6 address. */
  readonly isV6: boolean;
  /** The first word, 0 to 2^32 - 1. */
  readonly a: number;
  /** The second word. */
  readonly b: number;
  /** The third word. */
  readonly c: number;
  /** The fourth word. */
  readonly d: number;
}

/**
 * Makes numbers of an address.
 *
 * @param ip A canonical address.
 * @returns Its words.
 */
export function ipBits(ip: IpAddress): IpBits {
  if (ip.includes(":")) return v6Bits(ip);
  let word = 0, byte = 0;
  for (let i = 0; i < ip.length; i++) {
    const code = ip.charCodeAt(i);
    if (code === 0x2e) {
      word = word << 8 | byte;
      byte = 0;
    } else byte = byte * 10 + code - 0x30;
  }
  return { isV6: false, a: (word << 8 | byte) >>> 0, b: 0, c: 0, d: 0 };
}

/** The words of a mask of so many leading ones, for an IPv4 address in the first alone. */
export function maskBits(length: number, isV6: boolean): IpBits {
  const word = (index: number): number => {
    const ones = Math.min(32, Math.max(0, length - 32 * index));
    return ones === 0 ? 0 : (-1 << (32 - ones)) >>> 0;
  };
  return { isV6, a: word(0), b: word(1), c: word(2), d: word(3) };
}

/** RFC 5952 text is hexadecimal groups with at most one gap; what has dots in it takes the long way. */
function v6Bits(ip: IpAddress): IpBits {
  if (ip.includes(".")) return wordsOf(ipToBytes(ip));
  const groups: number[] = [];
  let gap = -1, value = 0, digits = 0;
  for (let i = 0; i <= ip.length; i++) {
    const code = i < ip.length ? ip.charCodeAt(i) : 0x3a;
    if (code !== 0x3a) {
      value = value << 4 | (code <= 0x39 ? code - 0x30 : (code | 0x20) - 0x57);
      digits++;
      continue;
    }
    if (digits > 0) groups.push(value);
    else if (gap < 0 && i < ip.length) gap = groups.length;
    value = digits = 0;
  }
  const missing = 8 - groups.length;
  const group = (at: number): number => {
    if (gap < 0 || at < gap) return groups[at]!;
    return at < gap + missing ? 0 : groups[at - missing]!;
  };
  const word = (at: number): number => (group(at) << 16 | group(at + 1)) >>> 0;
  return { isV6: true, a: word(0), b: word(2), c: word(4), d: word(6) };
}

function wordsOf(bytes: Uint8Array): IpBits {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  return { isV6: true, a: view.getUint32(0), b: view.getUint32(4), c: view.getUint32(8), d: view.getUint32(12) };
}
