/**
 * Names that no name server is asked for.
 *
 * @module
 */

import { type IpAddress, parseIp } from "../net/address.ts";
import { NetError } from "../net/errors.ts";

/**
 * What is known of a name without asking (RFC 6761, RFC 7686).
 *
 * @param name A name in its form for comparison.
 * @returns The addresses, or `undefined` if a name server has to be asked.
 * @throws {NetError} `name-not-found` for what no name server can know.
 */
export function fixedAddresses(name: string): readonly IpAddress[] | undefined {
  const ip = parseIp(name);
  if (ip !== undefined) return [ip];
  const labels = name.split(".");
  const top = labels.at(-1);
  if (top === "localhost") return ["127.0.0.1", "::1"];
  if (top === "onion") throw notFound(name, "names of Tor are not for name servers");
  if (name.length > 253 || !labels.every(isLabel)) throw notFound(name, "it is not a name that name servers know");
  return undefined;
}

/** Printable ASCII; a backslash would be the beginning of another character. */
function isLabel(label: string): boolean {
  return label.length <= 63 && /^[!-[\]-~]+$/.test(label);
}

function notFound(name: string, state: string): NetError {
  return new NetError("name-not-found", `Cannot look up "${name}": ${state}`);
}
