/**
 * A network in memory. It needs no runtime at all: tests drive the server with it, and so may a Worker.
 *
 * @module
 */

import { formatAddress, isUnixAddress, parseIp, type SocketAddress, type UnixAddress } from "../net/address.ts";
import { type IpAddress, ipVersion } from "../net/address.ts";
import { AcceptQueue } from "./accept_queue.ts";
import { abortError, newNetError } from "./errno.ts";
import { type MemoryConnection, memoryPair, type MemoryPairOptions } from "./memory_connection.ts";
import { MemoryDatagrams } from "./memory_datagram.ts";
import type { Connection, ConnectOptions, Listener, ListenOptions, LookupOptions, Runtime } from "./runtime.ts";

export { connectionPair, type MemoryPairOptions } from "./memory_connection.ts";

/** How a network in memory behaves. */
export interface MemoryOptions extends Pick<MemoryPairOptions, "capacity" | "split"> {
  /**
   * What names resolve to.
   *
   * @default {{ localhost: ["127.0.0.1", "::1"] }}
   */
  readonly hosts?: Readonly<Record<string, readonly IpAddress[]>> | undefined;
  /**
   * The addresses of this machine.
   *
   * @default {["127.0.0.1", "::1"]}
   */
  readonly interfaces?: readonly IpAddress[] | undefined;
}

/**
 * Makes a network of its own. Whoever listens in it can be reached by whoever connects in it, at any address.
 *
 * @example Listen and connect
 * ```ts
 * import { memory } from "@x/socks";
 * import { assertEquals } from "@std/assert";
 *
 * const network = memory();
 * const listener = await network.listen({ address: { ip: "192.0.2.1", port: 1080 } });
 * const client = await network.connect({ ip: "192.0.2.1", port: 1080 });
 * assertEquals(client.remote, { ip: "192.0.2.1", port: 1080 });
 * listener.close();
 * ```
 */
export function memory(options: MemoryOptions = {}): Runtime {
  return new MemoryNetwork(options);
}

const DEFAULT_HOSTS: Readonly<Record<string, readonly IpAddress[]>> = { localhost: ["127.0.0.1", "::1"] };

class MemoryNetwork implements Runtime {
  readonly name = "memory";
  readonly #options: MemoryOptions;
  readonly #listeners = new Map<string, MemoryListener>();
  readonly #datagrams = new MemoryDatagrams();
  #lastPort = 49_151;

  constructor(options: MemoryOptions) {
    this.#options = options;
  }

  listen(options: ListenOptions): Promise<Listener> {
    const { address: asked } = options;
    if ("fd" in asked) {
      return Promise.reject(newNetError("not-supported", "Cannot listen on an inherited socket: there are none here"));
    }
    const address = isUnixAddress(asked) || asked.port !== 0 ? asked : { ip: asked.ip, port: this.#nextPort() };
    const key = formatAddress(address);
    if (this.#listeners.has(key)) return Promise.reject(newNetError("address-in-use", `Cannot listen on "${key}"`));
    const listener = new MemoryListener(address, () => this.#listeners.delete(key));
    this.#listeners.set(key, listener);
    return Promise.resolve(listener);
  }

  async connect(to: SocketAddress, options: ConnectOptions = {}): Promise<Connection> {
    const action = `Cannot connect to "${formatAddress(to)}"`;
    const { signal, localIp = loopback(to.ip) } = options;
    await Promise.resolve(); // no network answers at once
    if (signal?.aborted) throw abortError(signal, action);
    const listener = this.#listeners.get(formatAddress(to)) ??
      this.#listeners.get(formatAddress({ ip: wildcard(to.ip), port: to.port }));
    if (listener === undefined) throw newNetError("refused", action);
    const { capacity, split } = this.#options;
    const local: SocketAddress = { ip: localIp, port: this.#nextPort() };
    const [client, server] = memoryPair({ capacity, split, addresses: [local, to] });
    listener.push(server);
    return client;
  }

  bindDatagram: Runtime["bindDatagram"] = (options) => this.#datagrams.bind(options);

  async lookup(hostname: string, options: LookupOptions = {}): Promise<IpAddress[]> {
    const action = `Cannot look up "${hostname}"`;
    await Promise.resolve();
    if (options.signal?.aborted) throw abortError(options.signal, action);
    const ip = parseIp(hostname);
    if (ip !== undefined) return [ip];
    const hosts = this.#options.hosts ?? DEFAULT_HOSTS;
    const name = hostname.toLowerCase();
    const found = Object.hasOwn(hosts, name) ? hosts[name]! : [];
    if (found.length === 0) throw newNetError("name-not-found", action);
    return [...found];
  }

  async reverseLookup(ip: IpAddress, options: LookupOptions = {}): Promise<string[]> {
    const action = `Cannot look up "${ip}"`;
    await Promise.resolve();
    if (options.signal?.aborted) throw abortError(options.signal, action);
    const hosts = Object.entries(this.#options.hosts ?? DEFAULT_HOSTS);
    const found = hosts.filter(([, ips]) => ips.includes(ip)).map(([name]) => name);
    if (found.length === 0) throw newNetError("name-not-found", action);
    return found;
  }

  interfaces(): IpAddress[] {
    return [...this.#options.interfaces ?? ["127.0.0.1", "::1"]];
  }

  #nextPort(): number {
    this.#lastPort = this.#lastPort === 65_535 ? 49_152 : this.#lastPort + 1;
    return this.#lastPort;
  }
}

class MemoryListener implements Listener {
  readonly address: SocketAddress | UnixAddress;
  readonly #onClose: () => void;
  readonly #queue = new AcceptQueue<MemoryConnection, Connection>((connection) => connection, (connection) => {
    connection.close(new Error("Nobody took the connection"));
  });

  constructor(address: SocketAddress | UnixAddress, onClose: () => void) {
    this.address = address;
    this.#onClose = onClose;
  }

  [Symbol.asyncIterator](): AsyncIterator<Connection> {
    return this.#queue;
  }

  push(connection: MemoryConnection): void {
    this.#queue.push(connection);
  }

  close(): void {
    if (this.#queue.close()) this.#onClose();
  }
}

function loopback(ip: IpAddress): IpAddress {
  return ipVersion(ip) === 4 ? "127.0.0.1" : "::1";
}

function wildcard(ip: IpAddress): IpAddress {
  return ipVersion(ip) === 4 ? "0.0.0.0" : "::";
}
