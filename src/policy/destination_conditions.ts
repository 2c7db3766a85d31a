/**
 * The conditions of a rule that are about the destination: known bit by bit.
 *
 * @module
 */

import type { IpBits } from "../net/ip_bits.ts";
import type { AddressItem } from "./address_item.ts";
import { AddressMatcher } from "./address_matcher.ts";
import { addressKeys } from "./client_conditions.ts";
import { type Condition, type ConditionKey, listItems } from "./condition.ts";
import type { DestinationItem } from "./destination_item.ts";
import type { NamePattern } from "./name_pattern.ts";
import type { PortSet } from "./port_set.ts";
import type { Match } from "./condition.ts";
import type { Question } from "./question.ts";

/** A wider list of ports is asked instead of being found. */
const MOST_PORT_KEYS = 64;

/** `to`. */
export class ToCondition implements Condition {
  /** The field of the rule. */
  readonly field = "to";
  /** One of these is true of all that it may apply to, once the address is known. */
  readonly keys: readonly ConditionKey[] | undefined;
  /** One of these is true of all whose name it applies to. */
  readonly nameKeys: readonly ConditionKey[] | undefined;
  /** Whether it lists addresses. */
  readonly hasAddresses: boolean;
  /** Whether it lists names. */
  readonly hasNames: boolean;
  readonly #addresses: AddressMatcher;
  readonly #exact: Set<string>;
  readonly #patterns: readonly NamePattern[];
  readonly #text: string;

  /** @param items What the rule lists. */
  constructor(items: readonly DestinationItem[]) {
    const addresses = items.filter((item): item is AddressItem => item.kind === "address");
    const names = items.filter((item): item is NamePattern => item.kind === "name");
    this.#addresses = new AddressMatcher(addresses);
    this.#exact = new Set(names.flatMap(({ exact }) => exact ?? []));
    this.#patterns = names.filter(({ exact }) => exact === undefined);
    this.#text = listItems(items.map(({ text }) => text));
    this.hasAddresses = addresses.length > 0;
    this.hasNames = names.length > 0;
    this.nameKeys = nameKeys(names);
    this.keys = this.nameKeys === undefined ? undefined : [...addressKeys("address", addresses), ...this.nameKeys];
  }

  /** Whether it holds every address there is. */
  get isAll(): boolean {
    return this.#addresses.isAll;
  }

  /** Whether it applies. One of its names or one of its addresses is enough. */
  test({ name, ip, outer, mayHaveName, destination }: Question): Match {
    if (name !== undefined && this.#hasName(name)) return "yes";
    if (ip !== undefined) {
      if (this.#addresses.has(ip) || outer !== undefined && this.#addresses.has(outer)) return "yes";
    } else if (this.hasAddresses && (this.isAll || destination.isKept !== true)) return this.isAll ? "yes" : "maybe";
    return this.hasNames && mayHaveName ? "maybe" : "no";
  }

  /** What stands against it. */
  why({ name, destination }: Question): string {
    const { ip, dialled, isKept } = destination;
    const known = [name, ip, dialled === ip ? undefined : dialled].filter((text) => text !== undefined).join(" or ");
    if (known === "") return `the destination is not known yet; listed are ${this.#text}`;
    if (isKept === true && this.hasAddresses) return `${known} is not resolved here; listed are ${this.#text}`;
    if (ip === undefined && this.hasAddresses) return `${known} is not resolved yet; listed are ${this.#text}`;
    return `${known} is none of ${this.#text}`;
  }

  /** Whether it lists an address by something narrower than `any`. What only carries the address does not count. */
  names(ip: IpBits): boolean {
    return this.#addresses.names(ip);
  }

  #hasName(name: string): boolean {
    return this.#exact.has(name) || this.#patterns.some((pattern) => pattern.matches(name));
  }
}

/**
 * `ports`.
 *
 * @param ports What the rule lists.
 */
export function portsCondition(ports: PortSet): Condition {
  const text = listItems(ports.spans.map(({ from, to }) => from === to ? from : `${from}-${to}`));
  return {
    field: "ports",
    keys: ports.size > MOST_PORT_KEYS
      ? undefined
      : ports.spans.flatMap(({ from, to }) =>
        Array.from({ length: to - from + 1 }, (_, at) => ({ by: "port", value: from + at } as const))
      ),
    test: ({ port }) => port === undefined ? ports.isAll ? "yes" : "maybe" : ports.has(port) ? "yes" : "no",
    why: ({ port }) =>
      port === undefined ? `the port is not known yet; listed are ${text}` : `${port} is none of ${text}`,
  };
}

/** `undefined` if one of the names has no key. */
function nameKeys(names: readonly NamePattern[]): ConditionKey[] | undefined {
  const keys: ConditionKey[] = [];
  for (const { exact, under } of names) {
    if (exact !== undefined) keys.push({ by: "name", value: exact });
    else if (under !== undefined) keys.push({ by: "under", value: under });
    else return undefined;
  }
  return keys;
}
