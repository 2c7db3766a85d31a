import { formatAddress, type IpAddress, ipVersion, type SocketAddress } from "../net/address.ts";
import { newNetError } from "./errno.ts";
import type { DatagramOptions, DatagramSocket } from "./runtime.ts";

/** The longest payload that UDP over IPv4 carries, in bytes. */
const LONGEST = 65_507;

/** The UDP sockets of a network in memory. */
export class MemoryDatagrams {
  readonly #sockets = new Map<string, MemoryDatagramSocket>();
  #lastPort = 49_151;

  /** See `Runtime.bindDatagram`. */
  bind(options: DatagramOptions): Promise<DatagramSocket> {
    const { address: { ip, port }, onDatagram } = options;
    const address = { ip, port: port === 0 ? this.#nextPort() : port };
    const key = formatAddress(address);
    if (this.#sockets.has(key)) return Promise.reject(newNetError("address-in-use", `Cannot listen on "${key}"`));
    const socket = new MemoryDatagramSocket(address, this, onDatagram);
    this.#sockets.set(key, socket);
    return Promise.resolve(socket);
  }

  /** Carries a datagram to whoever is bound there. */
  send(bytes: Uint8Array, from: SocketAddress, to: SocketAddress): void {
    const version = ipVersion(from.ip);
    if (bytes.length > LONGEST || version !== ipVersion(to.ip)) return;
    const any = version === 4 ? "0.0.0.0" : "::";
    const ip = from.ip === any ? (version === 4 ? "127.0.0.1" : "::1") : from.ip;
    const receiver = this.#sockets.get(formatAddress(to)) ??
      this.#sockets.get(formatAddress({ ip: any, port: to.port }));
    const copy = bytes.slice();
    queueMicrotask(() => receiver?.deliver(copy, ip, from.port));
  }

  /** Frees an address. */
  release(address: SocketAddress): void {
    this.#sockets.delete(formatAddress(address));
  }

  #nextPort(): number {
    this.#lastPort = this.#lastPort === 65_535 ? 49_152 : this.#lastPort + 1;
    return this.#lastPort;
  }
}

class MemoryDatagramSocket implements DatagramSocket {
  readonly address: SocketAddress;
  readonly #network: MemoryDatagrams;
  readonly #onDatagram: DatagramOptions["onDatagram"];
  #closed = false;

  constructor(address: SocketAddress, network: MemoryDatagrams, onDatagram: DatagramOptions["onDatagram"]) {
    this.address = address;
    this.#network = network;
    this.#onDatagram = onDatagram;
  }

  send(bytes: Uint8Array, ip: IpAddress, port: number): void {
    if (!this.#closed) this.#network.send(bytes, this.address, { ip, port });
  }

  deliver(bytes: Uint8Array, ip: IpAddress, port: number): void {
    if (!this.#closed) this.#onDatagram(bytes, ip, port);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#network.release(this.address);
  }
}
