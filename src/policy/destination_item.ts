/**
 * Destinations in a rule.
 *
 * @module
 */

import { type AddressItem, asAddressSet, looksLikeAddress, parseAddressItem } from "./address_item.ts";
import { mistake } from "./mistake.ts";
import { type NamePattern, parseNamePattern } from "./name_pattern.ts";

/** An item of `to`. */
export type DestinationItem = AddressItem | NamePattern;

/**
 * Reads an item of `to`: an address, a block, a kind of addresses, or a name.
 *
 * @param text What the operator wrote.
 * @returns What it stands for.
 * @throws {RangeError} `found …, expected …`.
 */
export function parseDestination(text: string): DestinationItem {
  if (typeof text !== "string") throw mistake(text, "text");
  if (text.startsWith("/")) return parseNamePattern(text);
  const port = /^(?:[^:/]*[a-z*][^:/]*|\[[^\]]*\]|[\d.]+):\d+$/i.exec(text);
  if (port !== null) throw mistake(text, "no port here: those are listed in ports");
  return asAddressSet(text) !== undefined || looksLikeAddress(text) ? parseAddressItem(text) : parseNamePattern(text);
}
