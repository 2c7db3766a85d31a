/**
 * What the program says when it serves.
 *
 * @module
 */

import { printable } from "../config/printable.ts";
import { formatAddress, isUnixAddress, type SocketAddress, type UnixAddress } from "../net/address.ts";
import { classifyIp } from "../net/ip_class.ts";
import type { OpenForward } from "../server/forward.ts";
import { jsonLine } from "./json_line.ts";

/**
 * Says where the server listens and, if anybody here may use it, how to try it.
 *
 * @param addresses Where it listens.
 * @param hasUsers Whether clients must log in.
 * @param isMixed Whether it serves HTTP as well.
 * @param forwards What leads to one target each.
 * @returns The lines.
 */
export function announcement(
  addresses: readonly (SocketAddress | UnixAddress)[],
  hasUsers: boolean,
  isMixed: boolean,
  forwards: readonly OpenForward[] = [],
): string[] {
  const protocols = isMixed ? "SOCKS4, SOCKS4a, SOCKS5, HTTP" : "SOCKS4, SOCKS4a, SOCKS5";
  const lines = addresses.map((address) => `Listening on ${printable(formatAddress(address))} (${protocols})`);
  lines.push(...forwards.map(forwardLine));
  const here = addresses.find((address) => !isUnixAddress(address) && classifyIp(address.ip) === "loopback");
  if (here !== undefined && !hasUsers) {
    lines.push(`Try: curl --socks5-hostname ${formatAddress(here)} https://example.com`);
  }
  return lines;
}

/**
 * Says where a forward leads: `Forwarding 127.0.0.1:5300 to 9.9.9.9:53 (UDP, by "tor")`.
 *
 * @param forward The forward.
 */
export function forwardLine({ address, protocol, to, via }: OpenForward): string {
  const way = via === undefined ? "" : `, by "${printable(via)}"`;
  return `Forwarding ${printable(formatAddress(address))} to ${printable(to)} (${protocol.toUpperCase()}${way})`;
}

/**
 * Says something to programs as the log does, whatever its level: where the server listens is what was asked for.
 *
 * @param event What happened, in one word.
 * @param message The same in words.
 * @param time When, in milliseconds since the epoch.
 */
export function announcementLine(event: string, message: string, time: number): string {
  return jsonLine({ time: new Date(time).toISOString(), level: "info", event, message });
}
