/**
 * What is allowed when no rule says anything.
 *
 * @module
 */

import type { ClientInfo } from "../auth/client_info.ts";
import type { IpAddress, SocketAddress } from "../net/address.ts";
import { classifyIp } from "../net/ip_class.ts";
import type { AddressInfo, RequestInfo } from "./rules.ts";

/** Facts that the safe defaults need. */
export interface SafeDefaultsOptions {
  /** Whether everything is allowed. */
  readonly allowPrivate: boolean;
  /** Where the server itself listens. */
  readonly listeners: () => readonly SocketAddress[];
  /** Where its forwards do; absent if there are none. */
  readonly forwards?: (() => Readonly<Record<"tcp" | "udp", readonly SocketAddress[]>>) | undefined;
  /** The addresses of this machine. */
  readonly interfaces: () => readonly IpAddress[];
}

/** What is known of a request. */
export type Requester = ClientInfo & Partial<Pick<RequestInfo, "protocol" | "command">>;

/**
 * Makes the last word on an address: nobody reaches the server's own listeners, which would loop, and who is not on
 * this machine reaches no address that is not global. Where a forward leads its operator has chosen, not its client.
 *
 * @returns The reason to deny, or `undefined` to allow.
 */
export function safeDefaults(
  options: SafeDefaultsOptions,
): (address: AddressInfo, client: Requester) => string | undefined {
  return (info, client) => {
    if (options.allowPrivate || client.protocol === "forward") return undefined;
    const { interfaces, listeners, forwards } = options;
    const own = forwards?.()[client.command === "udp-associate" ? "udp" : "tcp"] ?? [];
    if (isOwn(info, listeners(), interfaces) || isOwn(info, own, interfaces)) {
      return "it is a listener of this server";
    }
    if (client.isLocal) return undefined;
    const kind = classifyIp(info.ip);
    return kind === "global" ? undefined : `${kind} address, and the client is not on this machine`;
  };
}

function isOwn(
  { ip, port, address }: AddressInfo,
  own: readonly SocketAddress[],
  interfaces: SafeDefaultsOptions["interfaces"],
): boolean {
  if (own.length === 0) return false;
  return isAmong(ip, port, own, interfaces) || address.ip !== ip && isAmong(address.ip, port, own, interfaces);
}

/**
 * Whether an address is one of a server's own.
 *
 * @param ip The address.
 * @param port The port.
 * @param own Where the server listens.
 * @param interfaces The addresses of this machine.
 */
export function isAmong(
  ip: IpAddress,
  port: number,
  own: readonly SocketAddress[],
  interfaces: () => readonly IpAddress[],
): boolean {
  return own.some((listener) => {
    if (listener.port !== port) return false;
    if (listener.ip === ip) return true;
    if (classifyIp(listener.ip) !== "unspecified") return false;
    return classifyIp(ip) === "loopback" || interfaces().includes(ip);
  });
}
