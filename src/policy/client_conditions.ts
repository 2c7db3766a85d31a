/**
 * The conditions of a rule that are about the client: known from the start.
 *
 * @module
 */

import { formatAddress } from "../net/address.ts";
import { parseEndpoint } from "../net/endpoint.ts";
import type { AddressItem } from "./address_item.ts";
import { AddressMatcher } from "./address_matcher.ts";
import { type Condition, type ConditionKey, listItems } from "./condition.ts";
import type { RuleCommand } from "./rule.ts";
import type { CompiledWindow } from "./time_window.ts";
import { WEEKDAYS } from "./zone_clock.ts";

/**
 * `from`. A client without an address, as on a UNIX socket, is in `any`, and in `loopback` if it is on this machine.
 *
 * @param items What the rule lists.
 */
export function fromCondition(items: readonly AddressItem[]): Condition {
  const addresses = new AddressMatcher(items);
  const hasLoopback = items.some(({ set }) => set === "loopback");
  const hasAny = items.some(({ set }) => set === "any");
  const text = listItems(items.map(({ text }) => text));
  return {
    field: "from",
    // A client without an address is found by none.
    keys: hasLoopback || hasAny ? undefined : addressKeys("client", items),
    test: ({ client, request }) => {
      if (client !== undefined) return addresses.has(client) ? "yes" : "no";
      return hasAny || hasLoopback && request.isLocal ? "yes" : "no";
    },
    why: ({ request }) => `${request.client?.ip ?? "a client without an address"} is none of ${text}`,
  };
}

/**
 * `listeners`: by name, or by where they listen.
 *
 * @param listeners What the rule lists.
 */
export function listenersCondition(listeners: readonly string[]): Condition {
  const known = new Set(listeners.flatMap((text) => [text, ...canonical(text)]));
  return {
    field: "listeners",
    keys: [...known].map((value) => ({ by: "listener", value })),
    test: (question) => {
      const { listenerName } = question.request;
      if (listenerName !== undefined && known.has(listenerName)) return "yes";
      const { listener } = question;
      return listener !== undefined && known.has(listener) ? "yes" : "no";
    },
    why: ({ request, listener }) =>
      `${request.listenerName ?? listener ?? "a connection of no listener"} is none of ${listItems(listeners)}`,
  };
}

/**
 * `users`. `*` is everybody who logged in.
 *
 * @param users What the rule lists.
 */
export function usersCondition(users: readonly string[]): Condition {
  const names = new Set(users);
  const anybody = names.has("*");
  return {
    field: "users",
    keys: anybody ? undefined : [...names].map((value) => ({ by: "user", value })),
    test: ({ request: { user } }) => user !== undefined && (anybody || names.has(user.name)) ? "yes" : "no",
    why: ({ request: { user } }) =>
      user === undefined ? "nobody logged in" : `${user.name} is none of ${listItems(users)}`,
  };
}

/**
 * `groups`.
 *
 * @param groups What the rule lists.
 */
export function groupsCondition(groups: readonly string[]): Condition {
  const names = new Set(groups);
  return {
    field: "groups",
    keys: [...names].map((value) => ({ by: "group", value })),
    test: ({ request: { user } }) => user?.groups?.some((group) => names.has(group)) === true ? "yes" : "no",
    why: ({ request: { user } }) =>
      user === undefined ? "nobody logged in" : `${user.name} is in none of ${listItems(groups)}`,
  };
}

/**
 * `commands`.
 *
 * @param commands What the rule lists.
 */
export function commandsCondition(commands: readonly RuleCommand[]): Condition {
  const known = new Set<string>(commands);
  if (known.has("resolve")) known.add("resolve-ptr");
  return {
    field: "commands",
    test: ({ request }) => known.has(request.command) ? "yes" : "no",
    why: ({ request }) => `${request.command} is none of ${listItems(commands)}`,
  };
}

/**
 * `times`.
 *
 * @param windows What the rule lists.
 */
export function timesCondition(windows: readonly CompiledWindow[]): Condition {
  return {
    field: "times",
    test: ({ now }) => windows.some((window) => window.has(now)) ? "yes" : "no",
    why: ({ now }) => {
      const { day, minute } = windows[0]!.localTime(now);
      const two = (value: number): string => String(value).padStart(2, "0");
      return `${WEEKDAYS[day]} ${two(Math.floor(minute / 60))}:${two(minute % 60)} is in none of its times`;
    },
  };
}

/** The blocks of items as keys. */
export function addressKeys(by: "client" | "address", items: readonly AddressItem[]): ConditionKey[] {
  return items.flatMap(({ blocks }) => blocks.map((value) => ({ by, value })));
}

/** Where a listener listens, in the form that its address is compared in. */
function canonical(text: string): string[] {
  try {
    const endpoint = parseEndpoint(text);
    if ("path" in endpoint) return [formatAddress(endpoint)];
    const { host, port } = endpoint;
    const ips = host === "localhost" ? ["127.0.0.1", "::1"] : [host];
    return ips.map((ip) => formatAddress({ ip, port }));
  } catch {
    return []; // a name
  }
}
