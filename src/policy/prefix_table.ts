/**
 * Blocks of addresses, found by an address within.
 *
 * @module
 */

import type { Cidr } from "../net/cidr.ts";
import { type IpBits, ipBits, maskBits } from "../net/ip_bits.ts";

interface Entry<T> {
  readonly network: IpBits;
  readonly value: T;
}

/** The blocks of one length. */
interface Row<T> {
  readonly length: number;
  readonly mask: IpBits;
  /** By a hash of the network; several networks may share one. */
  readonly entries: Map<number, Entry<T>[]>;
}

/** A map from blocks to values. A lookup costs one step for each length of block that occurs, however many blocks. */
export class PrefixTable<T> {
  readonly #v4: Row<T>[] = [];
  readonly #v6: Row<T>[] = [];

  /**
   * Gives the value of a block, after making one if there is none.
   *
   * @param block The block.
   * @param make Makes its first value.
   */
  at(block: Cidr, make: () => T): T {
    const network = ipBits(block.ip);
    const row = this.#row(network.isV6, block.bits);
    const key = hash(network.a, network.b, network.c, network.d);
    const entries = row.entries.get(key) ?? [];
    if (entries.length === 0) row.entries.set(key, entries);
    let entry = entries.find((entry) => isIn(network, row.mask, entry.network));
    if (entry === undefined) entries.push(entry = { network, value: make() });
    return entry.value;
  }

  /**
   * Adds the values of all blocks that an address is in to a list.
   *
   * @param ip The address.
   * @param into Where to add them.
   */
  collect(ip: IpBits, into: T[]): void {
    const rows = ip.isV6 ? this.#v6 : this.#v4;
    for (let i = 0; i < rows.length; i++) {
      const entry = find(rows[i]!, ip);
      if (entry !== undefined) into.push(entry.value);
    }
  }

  /** Whether an address is in one of the blocks. */
  has(ip: IpBits): boolean {
    const rows = ip.isV6 ? this.#v6 : this.#v4;
    for (let i = 0; i < rows.length; i++) if (find(rows[i]!, ip) !== undefined) return true;
    return false;
  }

  #row(isV6: boolean, length: number): Row<T> {
    const rows = isV6 ? this.#v6 : this.#v4;
    let row = rows.find((row) => row.length === length);
    if (row === undefined) rows.push(row = { length, mask: maskBits(length, isV6), entries: new Map() });
    return row;
  }
}

function find<T>({ mask, entries }: Row<T>, ip: IpBits): Entry<T> | undefined {
  const sameHash = entries.get(hash(ip.a & mask.a, ip.b & mask.b, ip.c & mask.c, ip.d & mask.d));
  if (sameHash === undefined) return undefined;
  for (const entry of sameHash) if (isIn(ip, mask, entry.network)) return entry;
  return undefined;
}

function isIn(ip: IpBits, mask: IpBits, network: IpBits): boolean {
  return ((ip.a ^ network.a) & mask.a) === 0 && ((ip.b ^ network.b) & mask.b) === 0 &&
    ((ip.c ^ network.c) & mask.c) === 0 && ((ip.d ^ network.d) & mask.d) === 0;
}

/** An IPv4 network is its own hash. */
function hash(a: number, b: number, c: number, d: number): number {
  if ((b | c | d) === 0) return a | 0;
  const mixed = Math.imul(Math.imul(Math.imul(a ^ 0x9e3779b9, 31) ^ b, 0x85ebca6b) ^ c, 0xc2b2ae35) ^ d;
  return mixed | 0;
}
