/**
 * What rules and limits say of listeners.
 *
 * @module
 */

import { formatHostPort, parseIp, type UnixAddress } from "../net/address.ts";
import { type HostPort, parseEndpoint } from "../net/endpoint.ts";
import type { ListenEntry } from "./config.ts";
import { type Finding, lost } from "./finding.ts";
import { describeFound } from "./found.ts";

/**
 * Looks for listeners that nothing listens on, and for addresses that no client is ever seen to come to: these would be
 * passed over in silence, also by a rule that denies.
 *
 * @param path Where the rule or limit stands.
 * @param listeners What it lists.
 * @param listen The listeners that there are.
 */
export function checkListeners(
  path: readonly PropertyKey[],
  listeners: readonly string[],
  listen: readonly ListenEntry[],
): readonly Finding[] {
  const words = [...listen.flatMap(({ name }) => name ?? []), ...listen.map(({ address }) => address)];
  const message = (item: string): string | undefined => {
    if (listen.some(({ name }) => name === item)) return undefined;
    const places = placesOf(item);
    const entries = listen.filter(({ address }) => placesOf(address).some((place) => places.includes(place)));
    if (entries.length === 0) return lost(item, "listener", words);
    const reasons = entries.map((entry) => neverSeen(entry, listeners, listen));
    const reason = reasons.includes(undefined) ? undefined : reasons[0];
    return reason && `found ${describeFound(item)}, which never applies: ${reason}`;
  };
  return listeners.flatMap((item, index) => {
    const found = message(item);
    return found === undefined ? [] : { path: [...path, "listeners", index], message: found, isWarning: false };
  });
}

/** Why no client is seen to come to the address of a listener, and what to list in its place. */
function neverSeen(
  { address, name }: ListenEntry,
  listeners: readonly string[],
  listen: readonly ListenEntry[],
): string | undefined {
  const endpoint = parseEndpoint(address);
  if ("path" in endpoint) return undefined;
  const { host, port } = endpoint;
  const advice = name === undefined
    ? "give the listener a name, and list that"
    : `expected the listener's name, ${describeFound(name)}`;
  if (port === 0) return `its port is known once it listens; ${advice}`;
  if (host !== "localhost" && parseIp(host) === undefined) return `its IP address is known once it listens; ${advice}`;
  if (host !== "0.0.0.0") return undefined;
  // The server listens on [::] in the place of both.
  const both = `[::]:${port}`;
  const isCovered = listen.some((other) => other.name === name && placesOf(other.address).includes(both)) &&
    !listeners.some((item) => placesOf(item).includes(both));
  return isCovered ? `what listens is ${both}, which takes IPv4 too; expected ${describeFound(both)}` : undefined;
}

/** The addresses that an item stands for, in one form of each; none if it is a listener's name. */
function placesOf(item: string): readonly string[] {
  let endpoint: HostPort | UnixAddress;
  try {
    endpoint = parseEndpoint(item);
  } catch {
    return [];
  }
  if ("path" in endpoint) return [`unix:${endpoint.path}`];
  const { host, port } = endpoint;
  const hosts = host === "localhost" ? ["127.0.0.1", "::1"] : [host];
  return hosts.map((host) => formatHostPort(host, port));
}
