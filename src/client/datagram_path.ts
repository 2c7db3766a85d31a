/**
 * The way of datagrams through proxies, one inside the other.
 *
 * @module
 */

import { codecOf, unwrapping, wrapped } from "../auth/wrapped_datagrams.ts";
import type { IpAddress, SocketAddress } from "../net/address.ts";
import type { Target } from "../protocol/address.ts";
import { decodeDatagram, encodeDatagramHeader } from "../protocol/udp.ts";
import type { Connection, DatagramOptions, DatagramSocket, Duplex, Runtime } from "../runtime/runtime.ts";
import { Slab } from "../stream/slab.ts";

/** Is given each datagram, to keep, and who sent it. That is the same value for as long as it is the same sender. */
export type OnProxiedDatagram = (data: Uint8Array, source: Target) => void;

/** What such a way is made of. */
export interface DatagramPathParts {
  /** The connections that hold it, one to each proxy. */
  readonly controls: readonly (Connection & Duplex)[];
  /** Where the first proxy takes datagrams. */
  readonly relay: SocketAddress;
  /** Where each of the others does, as the one before it is to be told. */
  readonly further: readonly Target[];
  /** The address to send from. */
  readonly ip: IpAddress;
  /** The system. */
  readonly runtime: Runtime;
  /** Is given what comes. */
  readonly onDatagram: OnProxiedDatagram;
}

/** Where the datagrams of all ways are put together. */
const slab = new Slab(64 * 1024);

/**
 * Datagrams that go to the first proxy with a header for each one. It ends when it is closed or any proxy ends its
 * part. Fragments, and what does not come by all of the proxies, are dropped.
 */
export class DatagramPath {
  /** Where the first proxy takes datagrams. */
  readonly relay: SocketAddress;
  /** Where the last one does. */
  readonly exit: Target;
  /** Fulfilled when it has ended, in whatever way. */
  readonly closed: Promise<void>;
  readonly #parts: DatagramPathParts;
  /** What is before the last header. */
  readonly #outer: Uint8Array;
  /** The host of each further relay; absent where it was named, until one has sent something. */
  readonly #hosts: (string | undefined)[];
  /** Most talk to one for long: where the last datagram went to, and what was before its data. */
  #lastTarget: Target | undefined;
  #lastHeader = new Uint8Array(0);
  /** Where the last one came from, and what was before its data. */
  #lastSource: Target | undefined;
  #lastOrigin = new Uint8Array(0);
  #socket: DatagramSocket | undefined;
  #isClosed = false;
  #resolveClosed!: () => void;

  /**
   * Opens the socket.
   *
   * @throws {NetError} If there is none to be had. The connections are not closed then.
   */
  static async open(parts: DatagramPathParts): Promise<DatagramPath> {
    const path = new DatagramPath(parts);
    const codec = codecOf(parts.controls[0]!);
    const onDatagram: DatagramOptions["onDatagram"] = (bytes, ip, port) => path.#came(bytes, ip, port);
    const socket = await parts.runtime.bindDatagram({
      address: { ip: parts.ip, port: 0 },
      onDatagram: codec === undefined ? onDatagram : unwrapping(onDatagram, codec, parts.relay.ip),
    });
    path.#socket = codec === undefined ? socket : wrapped(socket, codec);
    for (const control of parts.controls) path.#watch(control);
    return path;
  }

  /** See {@linkcode DatagramPath.open}. */
  constructor(parts: DatagramPathParts) {
    const { relay, further } = parts;
    this.#parts = parts;
    this.relay = relay;
    this.exit = further.at(-1) ?? { type: relay.ip.includes(":") ? "ipv6" : "ipv4", host: relay.ip, port: relay.port };
    this.#outer = joined(further.map((target) => encodeDatagramHeader(target)));
    this.#hosts = further.map(({ type, host }) => type === "name" ? undefined : host);
    this.closed = new Promise((resolve) => this.#resolveClosed = resolve);
  }

  /**
   * Sends a datagram or, as the network may, loses it.
   *
   * @param data What it holds; it may be changed afterwards.
   * @param to Where to. A name is left to the last proxy.
   * @throws {RangeError} If a name is longer than 255 bytes, or the port is none.
   */
  send(data: Uint8Array, to: Target): void {
    if (this.#isClosed) return;
    if (to !== this.#lastTarget) {
      this.#lastHeader = joined([this.#outer, encodeDatagramHeader(to)]);
      this.#lastTarget = to;
    }
    const header = this.#lastHeader;
    const bytes = slab.take(header.length + data.length);
    bytes.set(header);
    bytes.set(data, header.length);
    this.#socket!.send(bytes, this.relay.ip, this.relay.port);
  }

  /** Ends it. Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket?.close();
    for (const control of this.#parts.controls) control.close();
    this.#resolveClosed();
  }

  #came(bytes: Uint8Array, ip: IpAddress, port: number): void {
    if (this.#isClosed || port !== this.relay.port || ip !== this.relay.ip) return;
    if (this.#lastSource === undefined || !startsWith(bytes, this.#lastOrigin)) {
      let rest: Uint8Array | undefined;
      try {
        rest = this.#unwrap(bytes);
      } catch {
        return; // no datagram of SOCKS
      }
      if (rest === undefined) return;
      this.#lastOrigin = bytes.slice(0, bytes.length - rest.length);
    }
    this.#parts.onDatagram(bytes.subarray(this.#lastOrigin.length), this.#lastSource!);
  }

  /** Takes the headers off, and learns the source; nothing if another than the next proxy sent it to the one before. */
  #unwrap(bytes: Uint8Array): Uint8Array | undefined {
    const { further } = this.#parts;
    let rest = bytes;
    const came: string[] = [];
    for (let hop = 0; hop <= further.length; hop++) {
      const { fragment, target, data } = decodeDatagram(rest);
      if (fragment !== 0) return undefined;
      rest = data;
      if (hop === further.length) {
        for (const [at, host] of came.entries()) this.#hosts[at] = host;
        this.#lastSource = target;
        return rest;
      }
      if (target.port !== further[hop]!.port || target.host !== (this.#hosts[hop] ?? target.host)) return undefined;
      came.push(target.host);
    }
    return undefined;
  }

  /** A control connection says nothing more, but when it ends so does all of it. */
  async #watch(control: Duplex): Promise<void> {
    try {
      while (await control.read() !== null);
    } catch {
      // Ended, though not well.
    }
    this.close();
  }
}

/** Whether bytes begin with others. */
function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  if (bytes.length < head.length) return false;
  for (let i = 0; i < head.length; i++) if (bytes[i] !== head[i]) return false;
  return true;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
