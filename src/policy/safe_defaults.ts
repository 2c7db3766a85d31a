/**
 * What is allowed when no rule says anything.
 *
 * @module
 */

import type { ClientInfo } from "../auth/client_info.ts";
import type { IpAddress, SocketAddress } from "../net/address.ts";
import { classifyIp } from "../net/ip_class.ts";
import type { AddressInfo } from "./rules.ts";

/** Facts that the safe defaults need. */
export interface SafeDefaultsOptions {
  /** Whether everything is allowed. */
  readonly allowPrivate: boolean;
  /** Where the server itself listens. */
  readonly listeners: () => readonly SocketAddress[];
  /** The addresses of this machine. */
  readonly interfaces: () => readonly IpAddress[];
}

/**
 * Makes the last word on an address: nobody reaches the server's own listeners, which would loop, and who is not on
 * this machine reaches no address that is not global.
 *
 * @returns The reason to deny, or `undefined` to allow.
 */
export function safeDefaults(
  options: SafeDefaultsOptions,
): (address: AddressInfo, client: ClientInfo) => string | undefined {
  return ({ ip, port, address }, client) => {
    if (options.allowPrivate) return undefined;
    if (reachesListener(ip, port, options) || reachesListener(address.ip, port, options)) {
      return "it is a listener of this server";
    }
    if (client.isLocal) return undefined;
    const kind = classifyIp(ip);
    return kind === "global" ? undefined : `${kind} address, and the client is not on this machine`;
  };
}

function reachesListener(ip: IpAddress, port: number, { listeners, interfaces }: SafeDefaultsOptions): boolean {
  return listeners().some((listener) => {
    if (listener.port !== port) return false;
    if (listener.ip === ip) return true;
    if (classifyIp(listener.ip) !== "unspecified") return false;
    return classifyIp(ip) === "loopback" || interfaces().includes(ip);
  });
}
