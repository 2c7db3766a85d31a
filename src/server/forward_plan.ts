/**
 * Forwards, read and checked.
 *
 * @module
 */

import { formatAddress } from "../net/address.ts";
import { type HostPort, parseEndpoint } from "../net/endpoint.ts";
import { isUnspecified } from "../net/ip_class.ts";
import { addressSize, type Target, targetOf } from "../protocol/address.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { Forward } from "./forward.ts";
import { type Place, type PlaceKeys, placesOf } from "./places.ts";

/** How long a client's way back is kept without a datagram, in milliseconds (RFC 4787 section 4.3). */
const UDP_IDLE = 300_000;
/** The same for a name server's clients, which ask each question from another port (REQ-5 there allows for it). */
const DNS_IDLE = 30_000;
const DNS_PORT = 53;

/** What a forward does. */
export interface ForwardPlan {
  /** What it carries. */
  readonly protocol: "tcp" | "udp";
  /** Where it leads. */
  readonly target: Target;
  /** The way out that it takes unless a rule says another. */
  readonly via: string | undefined;
  /** Whether it may be reached by other machines. */
  readonly isOpen: boolean;
  /** The longest silence of a session, in milliseconds, or `Infinity`. */
  readonly idle: number;
}

/** A place to listen, and what it is for. */
export interface ForwardPlace extends Place {
  readonly plan: ForwardPlan;
}

/**
 * Reads forwards, and where they listen.
 *
 * @param forwards As the options have them.
 * @param runtime Resolves the names of listeners.
 * @param keys Tells the places of a server apart.
 * @throws {RangeError} `Cannot use forwards[0].to: found …, expected …`.
 * @throws {SyntaxError} If a listen address cannot be read.
 * @throws {NetError} If a listener's name cannot be resolved.
 */
export async function forwardPlaces(
  forwards: readonly Forward[],
  runtime: Runtime,
  keys: PlaceKeys,
): Promise<readonly ForwardPlace[]> {
  const plans = forwards.map((forward, at) => planOf(forward, `forwards[${at}]`));
  const all: ForwardPlace[] = [];
  for (const [at, plan] of plans.entries()) {
    const { listen } = forwards[at]!;
    for (const place of await placesOf(listen, runtime, keys, plan.protocol === "udp" ? "udp" : "forward")) {
      if (plan.protocol === "udp" && !("ip" in place.address)) {
        const found = "fd" in place.address ? "an inherited socket" : `"${formatAddress(place.address)}"`;
        throw wrong(`forwards[${at}].listen`, found, "HOST:PORT for UDP");
      }
      all.push({ ...place, plan });
    }
  }
  return all;
}

/** Whether one plan is as good as another, for a session under way. */
export function isSamePlan(a: ForwardPlan, b: ForwardPlan): boolean {
  const { target: { host, port } } = a;
  return a.protocol === b.protocol && host === b.target.host && port === b.target.port && a.via === b.via;
}

function planOf({ to, protocol = "tcp", via, open = false, idle }: Forward, path: string): ForwardPlan {
  if (protocol !== "tcp" && protocol !== "udp") throw wrong(`${path}.protocol`, quote(protocol), '"tcp" or "udp"');
  if (idle !== undefined && !(idle >= 0)) throw wrong(`${path}.idle`, String(idle), "a number of at least 0");
  if (typeof open !== "boolean") throw wrong(`${path}.open`, quote(open), "true or false");
  const target = readTarget(to, `${path}.to`);
  const longest = idle ?? (protocol === "tcp" ? 0 : target.port === DNS_PORT ? DNS_IDLE : UDP_IDLE);
  return { protocol, target, via, isOpen: open, idle: longest || Infinity };
}

function readTarget(to: string, path: string): Target {
  const expected = "HOST:PORT or [IPv6]:PORT (port 1 to 65535)";
  let endpoint: HostPort | { readonly path: string };
  try {
    endpoint = parseEndpoint(to);
  } catch {
    throw wrong(path, quote(to), expected);
  }
  if ("path" in endpoint || endpoint.port === 0) throw wrong(path, quote(to), expected);
  const target = targetOf(endpoint.host, endpoint.port);
  if (target.type !== "name") {
    if (isUnspecified(target.host)) throw wrong(path, quote(to), "an address that one can connect to");
    return target;
  }
  try {
    addressSize(target);
  } catch {
    throw wrong(path, quote(to), "a name of at most 255 bytes");
  }
  return target;
}

function wrong(path: string, found: string, expected: string): RangeError {
  return new RangeError(`Cannot use ${path}: found ${found}, expected ${expected}`);
}

function quote(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
