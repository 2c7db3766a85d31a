/**
 * Who could reach a listener.
 *
 * @module
 */

import { formatAddress, isUnixAddress, type SocketAddress, type UnixAddress } from "../net/address.ts";
import { classifyIp } from "../net/ip_class.ts";

/**
 * Tells what is wrong with serving on these addresses.
 *
 * @param addresses Where to listen.
 * @param hasUsers Whether clients must log in.
 * @returns A sentence for the first listener that is open to other machines without a login; `undefined` if all is well.
 */
export function exposureProblem(
  addresses: readonly (SocketAddress | UnixAddress)[],
  hasUsers: boolean,
): string | undefined {
  if (hasUsers) return undefined;
  const wide = addresses.find(isWide);
  if (wide === undefined) return undefined;
  return `Cannot listen on "${formatAddress(wide)}" without users: anyone who reaches it could use this proxy`;
}

/**
 * Tells what is wrong with a forward that listens there, where nobody said that it may be reached by others. Users are
 * no help: nobody can log in there.
 *
 * @param address Where it listens.
 * @returns A sentence; `undefined` if only this machine reaches it.
 */
export function forwardExposureProblem(address: SocketAddress | UnixAddress): string | undefined {
  if (!isWide(address)) return undefined;
  return `Cannot forward from "${formatAddress(address)}" without "open": anyone who reaches it could use it, ` +
    "and nobody can log in there";
}

function isWide(address: SocketAddress | UnixAddress): boolean {
  return !isUnixAddress(address) && classifyIp(address.ip) !== "loopback";
}
