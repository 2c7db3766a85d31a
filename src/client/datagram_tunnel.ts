/**
 * An open association.
 *
 * @module
 */

import { ipVersion, type SocketAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { type Target, targetOf } from "../protocol/address.ts";
import { readTarget, type TargetLike } from "./client_options.ts";
import type { DatagramPath, OnProxiedDatagram } from "./datagram_path.ts";
import type { LookupHere } from "./dial_through.ts";

/** A datagram that came through a proxy. */
export interface ReceivedDatagram {
  /** What it holds. */
  readonly data: Uint8Array;
  /** Who sent it, as the proxy says. */
  readonly source: Target;
}

/** What an association is made of. */
export interface TunnelParts {
  /** Opens the way through the proxies. */
  readonly open: (onDatagram: OnProxiedDatagram) => Promise<DatagramPath>;
  /** Resolves names; absent if they are left to the last proxy. */
  readonly lookup?: LookupHere | undefined;
}

/** How many datagrams wait to be read; those that come then are lost. */
const MAX_WAITING = 1024;
/** How many names are remembered with their addresses. */
const MAX_NAMES = 256;

/**
 * A socket whose datagrams go through a proxy, or a chain of them. It ends when it is closed or a proxy ends it; to
 * iterate takes what came, and leaving the loop closes it. Fragments are dropped.
 */
export class DatagramTunnel implements AsyncIterable<ReceivedDatagram> {
  readonly #lookup: LookupHere | undefined;
  readonly #gone = new AbortController();
  readonly #names = new Map<string, Promise<string>>();
  readonly #waiting: ReceivedDatagram[] = [];
  #path!: DatagramPath;
  #wake: (() => void)[] = [];
  #closed = false;

  /**
   * Opens it.
   *
   * @throws {ProxyError} Whatever goes wrong.
   */
  static async open(parts: TunnelParts): Promise<DatagramTunnel> {
    const tunnel = new DatagramTunnel(parts);
    tunnel.#path = await parts.open((data, source) => tunnel.#came(data, source));
    tunnel.#path.closed.then(() => tunnel.close());
    return tunnel;
  }

  /** See {@linkcode DatagramTunnel.open}. */
  constructor({ lookup }: TunnelParts) {
    this.#lookup = lookup;
  }

  /** Where the first proxy takes datagrams. */
  get relay(): SocketAddress {
    return this.#path.relay;
  }

  /**
   * Sends a datagram or, as the network may, loses it.
   *
   * @param data What it holds; it may be changed afterwards.
   * @param to Where to. A name is left to the last proxy with `socks5h`.
   * @throws {NetError} `closed`, or why the name could not be resolved.
   */
  async send(data: Uint8Array, to: TargetLike): Promise<void> {
    if (this.#closed) throw closed();
    const named = readTarget(to);
    if (named.type !== "name" || this.#lookup === undefined) return this.#path.send(data, named);
    const kept = data.slice();
    const ip = await this.#resolve(named.host, this.#lookup);
    if (this.#closed) throw closed();
    this.#path.send(kept, targetOf(ip, named.port));
  }

  /** Takes the datagrams as they come, to the end of the association. */
  async *[Symbol.asyncIterator](): AsyncGenerator<ReceivedDatagram, void, undefined> {
    try {
      for (;;) {
        const next = this.#waiting.shift();
        if (next !== undefined) yield next;
        else if (this.#closed) return;
        else await new Promise<void>((resolve) => this.#wake.push(resolve));
      }
    } finally {
      this.close();
    }
  }

  /** Ends the association. What came before can still be read. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#gone.abort(closed());
    this.#path.close();
    this.#rouse();
  }

  /** See {@linkcode DatagramTunnel.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #came(data: Uint8Array, source: Target): void {
    if (this.#closed || this.#waiting.length >= MAX_WAITING) return;
    this.#waiting.push({ data, source });
    this.#rouse();
  }

  #rouse(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  #resolve(name: string, lookup: LookupHere): Promise<string> {
    const names = this.#names;
    const known = names.get(name);
    if (known !== undefined) return known;
    const found = (async () => {
      const ips = await lookup(name, this.#gone.signal);
      // One of the relay's own version of IP is the likeliest to be reached from there.
      const version = this.#path.exit.type === "ipv6" ? 6 : 4;
      const ip = ips.find((ip) => ipVersion(ip) === version) ?? ips[0];
      if (ip === undefined) throw new NetError("name-not-found", `Cannot send to "${name}": no address`);
      return ip;
    })();
    if (names.size >= MAX_NAMES) names.delete(names.keys().next().value!);
    names.set(name, found);
    found.catch(() => names.delete(name));
    return found;
  }
}

function closed(): NetError {
  return new NetError("closed", "Cannot send: the association has ended");
}
