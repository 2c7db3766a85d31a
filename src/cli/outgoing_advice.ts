/**
 * What an operator should know of the addresses to leave from.
 *
 * @module
 */

import type { IpAddress } from "../net/address.ts";
import { classifyIp } from "../net/ip_class.ts";

/**
 * Says which addresses nothing can leave from. They may yet come to this machine, so that is no mistake.
 *
 * @param addresses Those of the settings.
 * @param own Those of this machine.
 * @returns Sentences for the log.
 */
export function outgoingAdvice(addresses: readonly IpAddress[], own: readonly IpAddress[]): readonly string[] {
  return addresses.filter((ip) => !own.includes(ip) && classifyIp(ip) !== "loopback").map((ip) =>
    `outgoing.addresses: found "${ip}", which is no address of this machine now: nothing can leave from it`
  );
}
