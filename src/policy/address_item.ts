/**
 * Addresses in a rule: one, a block, or a kind of them.
 *
 * @module
 */

import { type Cidr, parseCidr } from "../net/cidr.ts";
import { mistake } from "./mistake.ts";
import { ADDRESS_SETS, type AddressSet } from "./rule.ts";

/** An item of `from`, or of `to` where it is about addresses. */
export interface AddressItem {
  /** What it is about. */
  readonly kind: "address";
  /** The item as it was written. */
  readonly text: string;
  /** The kind of addresses, if it was written as one. */
  readonly set?: AddressSet | undefined;
  /** The blocks that it stands for; for `any` these hold everything. */
  readonly blocks: readonly Cidr[];
}

/**
 * The blocks behind each name. They agree with `classifyIp`; what it calls unspecified leads to this machine, so
 * `loopback` holds that, too.
 */
const SETS: Readonly<Record<AddressSet, readonly string[]>> = {
  "loopback": ["127.0.0.0/8", "::1", "0.0.0.0/8", "::"],
  "private": [
    ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"],
    ...["fc00::/7", "fec0::/10", "64:ff9b:1::/48"],
  ],
  "link-local": ["169.254.0.0/16", "fe80::/10"],
  "metadata": [
    "169.254.169.254", // nearly every cloud
    ...["fd00:ec2::254", "fd20:ce::254", "fd00:c1::a9fe:a9fe"], // the same by IPv6: AWS, Google, Oracle
    ...["fe80::a9fe:a9fe", "fd00:42::42", "fd00:a9fe:a9fe::1"], // OpenStack, Scaleway, Linode
    ...["169.254.170.2", "169.254.170.23", "fd00:ec2::23"], // credentials of containers on AWS
    ...["168.63.129.16", "100.100.100.200", "100.96.0.96"], // Azure's host, Alibaba, Volcengine
    ...["169.254.0.23", "169.254.42.42", "192.0.0.192"], // Tencent, Scaleway, Oracle Classic
  ],
  "multicast": ["224.0.0.0/4", "ff00::/8"],
  "any": ["0.0.0.0/0", "::/0"],
};

/**
 * Reads an IP address, a block such as `10.0.0.0/8`, or one of {@linkcode ADDRESS_SETS}.
 *
 * @param text What the operator wrote.
 * @returns What it stands for.
 * @throws {RangeError} `found …, expected …`.
 */
export function parseAddressItem(text: string): AddressItem {
  if (typeof text !== "string") throw mistake(text, "text");
  const set = asAddressSet(text);
  if (set !== undefined) return { kind: "address", text, set, blocks: SETS[set].map(parseCidr) };
  if (!looksLikeAddress(text)) {
    throw mistake(text, `an IP address, a block such as 10.0.0.0/8, or one of ${ADDRESS_SETS.join(", ")}`);
  }
  try {
    return { kind: "address", text, blocks: [parseCidr(text)] };
  } catch (error) {
    throw mistake(text, (error as Error).message.replace(/^expected /, ""));
  }
}

/**
 * The kind of addresses that a word names.
 *
 * @param text What the operator wrote, in any case.
 * @returns The kind, or `undefined` if it is none.
 * @throws {RangeError} If it would be one with other hyphens.
 */
export function asAddressSet(text: string): AddressSet | undefined {
  const plain = text.toLowerCase();
  const set = ADDRESS_SETS.find((set) => plain.replaceAll(/[-_ ]/g, "") === set.replaceAll("-", ""));
  if (set !== undefined && set !== plain) throw mistake(text, `"${set}"`);
  return set;
}

/** Whether an item can be nothing but an address or a block: names have no colons and slashes, nor end in a number. */
export function looksLikeAddress(text: string): boolean {
  return /[:/]/.test(text) || /(?:^|\.)(?:\d+|0x[\da-f]*)\.?$/i.test(text);
}
