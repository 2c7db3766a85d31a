/**
 * The places where a server listens.
 *
 * @module
 */

import { formatAddress, type SocketAddress, type UnixAddress } from "../net/address.ts";
import { parseEndpoint } from "../net/endpoint.ts";
import { targetOf } from "../protocol/address.ts";
import type { InheritedSocket, Runtime } from "../runtime/runtime.ts";
import type { ListenAddress } from "./listen_address.ts";

/** One place to listen. */
export interface Place {
  /** Two places are the same if their keys are. */
  readonly key: string;
  /** Where it is. */
  readonly address: SocketAddress | UnixAddress | InheritedSocket;
  /** What rules and limits call it. */
  readonly name: string | undefined;
}

/** What a place is for: all of SOCKS, one target, or the datagrams of one. */
export type PlaceUse = "socks" | "forward" | "udp";

/** Tells the places of one server apart, as the same options would again. */
export class PlaceKeys {
  readonly #seen = new Map<string, number>();

  /**
   * The key of a place. A port keeps its own whatever it is for, so that it stays open where its use changes.
   *
   * @param address Where it is.
   * @param use What it is for.
   */
  next(address: Place["address"], use: PlaceUse): string {
    const at = "fd" in address ? `fd:${address.fd}` : formatAddress(address);
    const isAny = "port" in address && address.port === 0;
    const text = use === "udp" || use === "forward" && isAny ? `${use} ${at}` : at;
    const nth = (this.#seen.get(text) ?? 0) + 1; // with port 0 each is a place of its own
    this.#seen.set(text, nth);
    return `${text} ${nth}`;
  }
}

/**
 * Reads where to listen. A name stands for all of its addresses.
 *
 * @param listen As the options have it.
 * @param runtime Resolves names.
 * @param keys Tells the places of the server apart.
 * @param use What it is for.
 * @throws {SyntaxError} If a place cannot be read.
 * @throws {NetError} If a name cannot be resolved.
 */
export async function placesOf(
  listen: ListenAddress | readonly ListenAddress[],
  runtime: Runtime,
  keys: PlaceKeys = new PlaceKeys(),
  use: PlaceUse = "socks",
): Promise<readonly Place[]> {
  const places = (await Promise.all([listen].flat().map((item) => read(item as ListenAddress, runtime)))).flat();
  const all = use === "udp" ? places : places.filter((place) => !isCovered(place, places)); // UDP on [::] takes IPv6 alone
  return all.map(({ address, name }) => ({ key: keys.next(address, use), address, name }));
}

/** Whether it is 0.0.0.0 beside [::] of the same port and name, which takes IPv4 too and would find the port taken. */
function isCovered({ address, name }: Omit<Place, "key">, places: readonly Omit<Place, "key">[]): boolean {
  if (!("ip" in address) || address.ip !== "0.0.0.0" || address.port === 0) return false;
  return places.some((other) =>
    "ip" in other.address && other.address.ip === "::" && other.address.port === address.port && other.name === name
  );
}

async function read(item: ListenAddress, runtime: Runtime): Promise<Omit<Place, "key">[]> {
  const endpoint = typeof item === "string"
    ? parseEndpoint(item)
    : "address" in item
    ? parseEndpoint(item.address)
    : item;
  const name = typeof item === "string" ? undefined : item.name;
  if ("fd" in endpoint) return [{ address: { fd: endpoint.fd }, name }];
  if ("path" in endpoint) return [{ address: { path: endpoint.path }, name }];
  const { type, host, port } = targetOf(endpoint.host, endpoint.port);
  const ips = type === "name" ? await runtime.lookup(host) : [host];
  return ips.map((ip) => ({ address: { ip, port }, name }));
}
