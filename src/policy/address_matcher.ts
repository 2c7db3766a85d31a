/**
 * Whether an address is among those of a rule.
 *
 * @module
 */

import type { IpBits } from "../net/ip_bits.ts";
import type { AddressItem } from "./address_item.ts";
import { PrefixTable } from "./prefix_table.ts";

/** The addresses of a rule's `from` or `to`. */
export class AddressMatcher {
  /** Whether they are all that there are. */
  readonly isAll: boolean;
  readonly #everyV4: boolean;
  readonly #everyV6: boolean;
  readonly #named: PrefixTable<true> = new PrefixTable();

  /** @param items What the rule lists. */
  constructor(items: readonly AddressItem[]) {
    const blocks = items.flatMap(({ blocks }) => blocks);
    const every = blocks.filter(({ bits }) => bits === 0);
    this.#everyV4 = every.some(({ ip }) => !ip.includes(":"));
    this.#everyV6 = every.some(({ ip }) => ip.includes(":"));
    this.isAll = this.#everyV4 && this.#everyV6;
    for (const block of blocks) if (block.bits > 0) this.#named.at(block, () => true);
  }

  /** Whether an address is one of them. */
  has(ip: IpBits): boolean {
    return (ip.isV6 ? this.#everyV6 : this.#everyV4) || this.#named.has(ip);
  }

  /** Whether an address is in something narrower than `any`, `0.0.0.0/0` and `::/0`. */
  names(ip: IpBits): boolean {
    return this.#named.has(ip);
  }
}
