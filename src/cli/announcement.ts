/**
 * What the program says when it serves.
 *
 * @module
 */

import { printable } from "../config/printable.ts";
import { formatAddress, isUnixAddress, type SocketAddress, type UnixAddress } from "../net/address.ts";
import { classifyIp } from "../net/ip_class.ts";
import { jsonLine } from "./json_line.ts";

/**
 * Says where the server listens and, if anybody here may use it, how to try it.
 *
 * @param addresses Where it listens.
 * @param hasUsers Whether clients must log in.
 * @param isMixed Whether it serves HTTP as well.
 * @returns The lines.
 */
export function announcement(
  addresses: readonly (SocketAddress | UnixAddress)[],
  hasUsers: boolean,
  isMixed: boolean,
): string[] {
  const protocols = isMixed ? "SOCKS4, SOCKS4a, SOCKS5, HTTP" : "SOCKS4, SOCKS4a, SOCKS5";
  const lines = addresses.map((address) => `Listening on ${printable(formatAddress(address))} (${protocols})`);
  const here = addresses.find((address) => !isUnixAddress(address) && classifyIp(address.ip) === "loopback");
  if (here !== undefined && !hasUsers) {
    lines.push(`Try: curl --socks5-hostname ${formatAddress(here)} https://example.com`);
  }
  return lines;
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
