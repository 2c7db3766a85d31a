import { formatAddress, type IpAddress, isUnixAddress, type SocketAddress } from "../../src/net/address.ts";
import { NetError, type NetErrorCode } from "../../src/net/errors.ts";
import type {
  Connection,
  ConnectOptions,
  DatagramOptions,
  DatagramSocket,
  Listener,
  ListenOptions,
  LookupOptions,
  Runtime,
} from "../../src/runtime/runtime.ts";
import { pipe, type PipeEnd } from "./_pipe.ts";

/** The address that connections and datagrams of the server leave from. */
export const SERVER_IP = "198.51.100.1";
const SERVER_IP6 = "2001:db8:1::1";

/** What happens to a connection attempt: a failure, silence, or a target that holds the other end. */
export type Answer = NetErrorCode | "silence" | ((end: PipeEnd) => void | Promise<void>);

/** A network in memory, scripted by the test: the strictest system that the contract allows. */
export class Network implements Runtime {
  readonly name = "memory";
  /** What happens at `ip:port`; anything else is refused. */
  readonly answers = new Map<string, Answer>();
  /** The addresses of names; each lookup takes the next list, the last one stays. */
  readonly names = new Map<string, IpAddress[][]>();
  /** The attempts to connect, in order. */
  readonly attempts: string[] = [];
  /** The names of addresses. */
  readonly reverses = new Map<IpAddress, readonly string[]>();
  /** The lookups, in order. */
  readonly lookups: string[] = [];
  /** The server's ends of all connections that it made, and of those its listeners took. */
  readonly made: PipeEnd[] = [];
  /** The UDP sockets that are open, by their address. */
  readonly sockets = new Map<string, FakeDatagramSocket>();
  /** The listeners that are open, by their address. */
  readonly listeners = new Map<string, FakeListener>();
  /** Datagrams that arrived where no socket is, by destination. */
  readonly lost: string[] = [];
  ownAddresses: IpAddress[] = ["127.0.0.1", "::1", SERVER_IP, "192.168.7.7"];
  capacity = 65_536;
  #nextPort = 40_000;

  listen({ address }: ListenOptions): Promise<Listener> {
    if ("fd" in address) return Promise.reject(new NetError("not-supported", "Cannot listen: nothing was inherited"));
    const real = isUnixAddress(address) || address.port !== 0 ? address : { ...address, port: this.#nextPort++ };
    const key = formatAddress(real);
    if (this.listeners.has(key)) return Promise.reject(new NetError("address-in-use", `Cannot listen on "${key}"`));
    const listener = new FakeListener(real, () => this.listeners.delete(key));
    this.listeners.set(key, listener);
    return Promise.resolve(listener);
  }

  /** Connects to a listener of the server, as a client or a peer at `from` would. */
  reach(to: string, from: SocketAddress | undefined): PipeEnd {
    const listener = this.listeners.get(to) ?? this.listeners.get(to.replace(/^.*:/, "0.0.0.0:"));
    if (listener === undefined) throw new NetError("refused", `Cannot reach "${to}": nobody listens`);
    const { address } = listener;
    const local = isUnixAddress(address)
      ? undefined
      : { ip: to.replace(/:\d+$/, "").replace(/[[\]]/g, ""), port: address.port };
    const [outside, inside] = pipe({ a: from, b: local, capacity: this.capacity });
    this.made.push(inside);
    listener.offer(inside);
    return outside;
  }

  connect(to: SocketAddress, { signal, localIp }: ConnectOptions = {}): Promise<Connection> {
    const key = formatAddress(to);
    this.attempts.push(key);
    const answer = this.answers.get(key) ?? "refused";
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal!.reason);
      if (signal?.aborted) return abort();
      if (answer === "silence") return signal?.addEventListener("abort", abort, { once: true });
      if (typeof answer === "string") return reject(new NetError(answer, `Cannot connect to "${key}": ${answer}`));
      const ip = localIp ?? (to.ip.includes(":") ? SERVER_IP6 : SERVER_IP);
      const [inside, outside] = pipe({ a: { ip, port: this.#nextPort++ }, b: to, capacity: this.capacity });
      this.made.push(inside);
      resolve(inside);
      void answer(outside);
    });
  }

  bindDatagram({ address, onDatagram }: DatagramOptions): Promise<DatagramSocket> {
    const real = address.port !== 0 ? address : { ...address, port: this.#nextPort++ };
    const key = formatAddress(real);
    if (this.sockets.has(key)) return Promise.reject(new NetError("address-in-use", `Cannot bind "${key}"`));
    const socket = new FakeDatagramSocket(this, real, onDatagram);
    this.sockets.set(key, socket);
    return Promise.resolve(socket);
  }

  lookup(hostname: string, { signal }: LookupOptions = {}): Promise<IpAddress[]> {
    this.lookups.push(hostname);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const lists = this.names.get(hostname);
    if (lists === undefined) return Promise.reject(new NetError("name-not-found", `Cannot resolve "${hostname}"`));
    return Promise.resolve(lists.length > 1 ? lists.shift()! : lists[0]!);
  }

  reverseLookup(ip: IpAddress, { signal }: LookupOptions = {}): Promise<string[]> {
    this.lookups.push(ip);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const names = this.reverses.get(ip);
    return names === undefined
      ? Promise.reject(new NetError("name-not-found", `Cannot resolve "${ip}"`))
      : Promise.resolve([...names]);
  }

  interfaces(): IpAddress[] {
    return this.ownAddresses;
  }
}

/** A listener that tests put connections into. */
export class FakeListener implements Listener {
  readonly address: Listener["address"];
  readonly #queue: PipeEnd[] = [];
  readonly #onClose: () => void;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(address: Listener["address"], onClose: () => void) {
    this.address = address;
    this.#onClose = onClose;
  }

  /** Connections that nobody has taken. */
  get waiting(): number {
    return this.#queue.length;
  }

  offer(end: PipeEnd): void {
    this.#queue.push(end);
    this.#wake?.();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
    for (const end of this.#queue.splice(0)) end.close();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Connection> {
    for (;;) {
      const end = this.#queue.shift();
      if (end !== undefined) yield end;
      else if (this.#closed) return;
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }
}

/** A UDP socket on a {@linkcode Network}. */
export class FakeDatagramSocket implements DatagramSocket {
  readonly address: SocketAddress;
  /** What it was given to send, as `ip:port`. */
  readonly sentTo: string[] = [];
  readonly #network: Network;
  readonly #onDatagram: DatagramOptions["onDatagram"];
  #closed = false;

  constructor(network: Network, address: SocketAddress, onDatagram: DatagramOptions["onDatagram"]) {
    this.#network = network;
    this.address = address;
    this.#onDatagram = onDatagram;
  }

  send(bytes: Uint8Array, ip: IpAddress, port: number): void {
    if (this.#closed) return;
    const to = formatAddress({ ip, port });
    this.sentTo.push(to);
    const from = this.address.ip === "0.0.0.0" ? SERVER_IP : this.address.ip === "::" ? SERVER_IP6 : this.address.ip;
    const any = formatAddress({ ip: ip.includes(":") ? "::" : "0.0.0.0", port });
    const isServer = ip === SERVER_IP || ip === SERVER_IP6;
    const socket = this.#network.sockets.get(to) ?? (isServer ? this.#network.sockets.get(any) : undefined);
    if (socket === undefined) this.#network.lost.push(to);
    else socket.#onDatagram(bytes.slice(), from, this.address.port);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#network.sockets.delete(formatAddress(this.address));
  }
}

/** A UDP host of the test's own, which keeps what it gets. */
export class UdpHost {
  /** What arrived. */
  readonly got: { readonly text: string; readonly bytes: Uint8Array; readonly from: string; readonly port: number }[] =
    [];
  readonly #socket: Promise<DatagramSocket>;
  #wake: (() => void) | undefined;

  constructor(network: Network, ip: IpAddress, port: number, answer?: (bytes: Uint8Array) => Uint8Array | undefined) {
    this.#socket = network.bindDatagram({
      address: { ip, port },
      onDatagram: (bytes, from, port) => {
        this.got.push({ text: new TextDecoder().decode(bytes), bytes, from, port });
        this.#wake?.();
        const reply = answer?.(bytes);
        if (reply !== undefined) void this.send(reply, from, port);
      },
    });
  }

  async send(bytes: Uint8Array, ip: IpAddress, port: number): Promise<void> {
    (await this.#socket).send(bytes, ip, port);
  }

  /** Waits until it has got this many datagrams in all. */
  async until(count: number): Promise<void> {
    while (this.got.length < count) await new Promise<void>((resolve) => this.#wake = resolve);
  }
}
