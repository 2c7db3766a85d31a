/**
 * Whether a server's ports take HTTP as well.
 *
 * @module
 */

import { isUnixAddress, type SocketAddress, type UnixAddress } from "../net/address.ts";
import { classifyIp } from "../net/ip_class.ts";

/**
 * Whether HTTP is served beside SOCKS.
 *
 * @param mixed What the server was told.
 * @param addresses Where it listens.
 * @returns What it was told; else whether only this machine can reach it.
 */
export function isMixed(mixed: boolean | undefined, addresses: readonly (SocketAddress | UnixAddress)[]): boolean {
  return mixed ?? addresses.every((address) => isUnixAddress(address) || classifyIp(address.ip) === "loopback");
}
