/**
 * An open association.
 *
 * @module
 */

import { ipVersion, type SocketAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { type Target, targetOf } from "../protocol/address.ts";
import { decodeDatagram, encodeDatagram } from "../protocol/udp.ts";
import type { Connection, DatagramSocket, Duplex, Runtime } from "../runtime/runtime.ts";
import { readTarget, type TargetLike } from "./client_options.ts";
import type { LookupHere } from "./dial_through.ts";
import { type Proxy, resolvesNames } from "./proxy.ts";

/** A datagram that came through a proxy. */
export interface ReceivedDatagram {
  /** What it holds. */
  readonly data: Uint8Array;
  /** Who sent it, as the proxy says. */
  readonly source: Target;
}

/** What an association is made of. */
export interface TunnelParts {
  /** The control connection, which holds it. */
  readonly connection: Connection & Duplex;
  /** Where the proxy takes datagrams. */
  readonly relay: SocketAddress;
  /** The address to send from. */
  readonly ip: string;
  /** The proxy. */
  readonly proxy: Proxy;
  /** The system. */
  readonly runtime: Runtime;
  /** Resolves names that are not left to the proxy. */
  readonly lookup: LookupHere;
}

/** How many datagrams wait to be read; those that come then are lost. */
const MAX_WAITING = 1024;
/** How many names are remembered with their addresses. */
const MAX_NAMES = 256;

/**
 * A socket whose datagrams go through a proxy. It ends when it is closed or the proxy ends it; to iterate takes what
 * came, and leaving the loop closes it. Fragments are dropped.
 */
export class DatagramTunnel implements AsyncIterable<ReceivedDatagram> {
  /** Where the proxy takes datagrams. */
  readonly relay: SocketAddress;
  readonly #parts: TunnelParts;
  readonly #gone = new AbortController();
  readonly #names = new Map<string, Promise<Target>>();
  readonly #waiting: ReceivedDatagram[] = [];
  #socket!: DatagramSocket;
  #wake: (() => void)[] = [];
  #closed = false;

  /**
   * Opens the socket.
   *
   * @throws {NetError} If there is none to be had.
   */
  static async open(parts: TunnelParts): Promise<DatagramTunnel> {
    const tunnel = new DatagramTunnel(parts);
    tunnel.#socket = await parts.runtime.bindDatagram({
      address: { ip: parts.ip, port: 0 },
      onDatagram: (bytes, ip, port) => tunnel.#came(bytes, ip, port),
    });
    tunnel.#watch();
    return tunnel;
  }

  /** See {@linkcode DatagramTunnel.open}. */
  constructor(parts: TunnelParts) {
    this.#parts = parts;
    this.relay = parts.relay;
  }

  /**
   * Sends a datagram or, as the network may, loses it.
   *
   * @param data What it holds; it may be changed afterwards.
   * @param to Where to. A name is left to the proxy with `socks5h`.
   * @throws {NetError} `closed`, or why the name could not be resolved.
   */
  async send(data: Uint8Array, to: TargetLike): Promise<void> {
    const { relay } = this.#parts;
    if (this.#closed) throw closed();
    const named = readTarget(to);
    if (named.type !== "name" || resolvesNames(this.#parts.proxy)) {
      return this.#socket.send(encodeDatagram({ fragment: 0, target: named, data }), relay.ip, relay.port);
    }
    const kept = data.slice();
    const { host } = await this.#resolve(named);
    if (this.#closed) throw closed();
    const bytes = encodeDatagram({ fragment: 0, target: targetOf(host, named.port), data: kept });
    this.#socket.send(bytes, relay.ip, relay.port);
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
    this.#socket.close();
    this.#parts.connection.close();
    this.#rouse();
  }

  /** See {@linkcode DatagramTunnel.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #came(bytes: Uint8Array, ip: string, port: number): void {
    const { relay } = this.#parts;
    if (this.#closed || ip !== relay.ip || port !== relay.port || this.#waiting.length >= MAX_WAITING) return;
    try {
      const { fragment, target, data } = decodeDatagram(bytes);
      if (fragment !== 0) return;
      this.#waiting.push({ data, source: target });
    } catch {
      return; // no datagram of SOCKS
    }
    this.#rouse();
  }

  #rouse(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** The control connection says nothing more, but when it ends so does the association. */
  async #watch(): Promise<void> {
    try {
      while (await this.#parts.connection.read() !== null);
    } catch {
      // Ended, though not well.
    }
    this.close();
  }

  #resolve(named: Target): Promise<Target> {
    const names = this.#names;
    const known = names.get(named.host);
    if (known !== undefined) return known;
    const found = (async () => {
      const ips = await this.#parts.lookup(named.host, this.#gone.signal);
      // One of the relay's own version of IP is the likeliest to be reached from there.
      const version = ipVersion(this.#parts.relay.ip);
      const ip = ips.find((ip) => ipVersion(ip) === version) ?? ips[0];
      if (ip === undefined) throw new NetError("name-not-found", `Cannot send to "${named.host}": no address`);
      return targetOf(ip, named.port);
    })();
    if (names.size >= MAX_NAMES) names.delete(names.keys().next().value!);
    names.set(named.host, found);
    found.catch(() => names.delete(named.host));
    return found;
  }
}

function closed(): NetError {
  return new NetError("closed", "Cannot send: the association has ended");
}
