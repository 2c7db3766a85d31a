/**
 * Names whose addresses the operator sets.
 *
 * @module
 */

import { type IpAddress, parseIp } from "../net/address.ts";
import { comparableName } from "../net/host_name.ts";
import { mistake } from "../policy/mistake.ts";

/**
 * Names and their addresses. `*.home` is every name below `home`; the longest match counts. A name with no address at
 * all does not exist.
 */
export type Hosts = Readonly<Record<string, IpAddress | readonly IpAddress[]>>;

/**
 * Reads a table of hosts.
 *
 * @param table The names and their addresses.
 * @returns The addresses of a name in its form for comparison, or `undefined` for a name that the table does not have.
 * @throws {RangeError} If a name or an address in it makes no sense.
 */
export function hosts(table: Hosts): (name: string) => readonly IpAddress[] | undefined {
  const names = new Map<string, readonly IpAddress[]>();
  const domains = new Map<string, readonly IpAddress[]>();
  for (const [name, addresses] of Object.entries(table)) {
    const isDomain = name.startsWith("*.");
    const host = comparableName(isDomain ? name.slice(2) : name);
    if (host === "" || /[*\s]/.test(host)) throw wrong(mistake(name, "a name, or *. and a name"));
    if (parseIp(host) !== undefined) throw wrong(mistake(name, "a name, which an address is not"));
    const ips = [addresses].flat().map((address) => readAddress(name, address));
    (isDomain ? domains : names).set(host, Object.freeze(ips));
  }
  if (domains.size === 0) return (name) => names.get(name);
  return (name) => {
    const own = names.get(name);
    if (own !== undefined) return own;
    for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) {
      const found = domains.get(name.slice(dot + 1));
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

function readAddress(name: string, text: IpAddress): IpAddress {
  const ip = parseIp(text);
  if (ip === undefined) throw wrong(mistake(text, `an IP address for "${name}"`));
  return ip;
}

function wrong({ message }: RangeError): RangeError {
  return new RangeError(`Cannot use resolver.hosts: ${message}`);
}
