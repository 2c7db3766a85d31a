/**
 * The datagram relay of one UDP association (RFC 1928 section 7).
 *
 * @module
 */

import { formatHostPort, type IpAddress, ipVersion, type SocketAddress } from "../net/address.ts";
import type { Target } from "../protocol/address.ts";
import { ProtocolError } from "../protocol/decoded.ts";
import { decodeDatagram, encodeDatagramHeader, type SocksDatagram } from "../protocol/udp.ts";
import type { DatagramSocket, Meter, Pace, Runtime } from "../runtime/runtime.ts";
import { Slab } from "../stream/slab.ts";
import { Fragments } from "./fragments.ts";
import type { Passage } from "./outlet.ts";
import { remember } from "./remember.ts";

/** Datagrams that wait for a name to be resolved; more of them are dropped. */
const MAX_WAITING = 16;

const NOTHING = new Uint8Array(0);

/** The address of what is not sent to an address. */
const ELSEWHERE: SocketAddress = { ip: "", port: 0 };

/** Where the datagrams of all associations are put together. */
const slab = new Slab(64 * 1024);

/** Counts datagrams as well as their bytes. */
export interface DatagramMeter extends Meter {
  /** Datagrams both ways, which may be empty. */
  datagrams: number;
}

/** What an association needs from outside. */
export interface AssociationOptions {
  /** Opens the outgoing sockets. */
  readonly runtime: Runtime;
  /** The address that datagrams to another leave from; `undefined` lets the system choose. */
  readonly sourceFor?: ((ip: IpAddress) => IpAddress | undefined) | undefined;
  /** Counts. */
  readonly meter: DatagramMeter;
  /** Says how fast bytes may go, if that is limited; datagrams beyond are dropped. */
  readonly pace?: Pace | undefined;
  /** The only source that datagrams are taken from. An absent address or port 0 is learnt from the first valid one. */
  readonly client: { readonly ip: IpAddress | undefined; readonly port: number };
  /** Destinations to remember. */
  readonly maxDestinations: number;
  /** Destinations to look up at once. */
  readonly maxLookups: number;
  /** Finds where a target's datagrams go; a rejection drops them. */
  readonly route: (target: Target) => Promise<SocketAddress | Passage>;
  /** Whether a sender that the client has sent nothing to may reach it. */
  readonly mayAnswer: (sender: SocketAddress) => Promise<boolean>;
  /** Whether a datagram may be sent; absent if nobody asks. */
  readonly mayPass?: ((target: Target, size: number) => Promise<boolean>) | undefined;
}

/** A destination: waiting for its address, or ready to be sent to. */
interface Destination {
  address: SocketAddress | undefined;
  socket: Pick<DatagramSocket, "send"> | undefined;
  readonly waiting: Uint8Array[];
}

/** A sender, and the header of its datagrams. */
interface Sender {
  readonly address: SocketAddress;
  readonly header: Uint8Array;
}

/**
 * Relays between the client's socket and one outgoing socket per family: a target sees the same port whatever else the
 * client talks to (endpoint-independent mapping, RFC 4787).
 */
export class Association {
  readonly #options: AssociationOptions;
  readonly #fragments: Fragments = new Fragments();
  readonly #destinations = new Map<string, Destination>();
  readonly #senders = new Map<string, Sender>();
  readonly #outgoing = new Map<4 | 6, Promise<DatagramSocket>>();
  /** Most clients talk to one destination for long: the header of their last datagram, and where it led. */
  #lastHeader: Uint8Array = NOTHING;
  #lastDestination: Destination | undefined;
  #lastSender: Sender | undefined;
  #inbound: DatagramSocket | undefined;
  #clientIp: IpAddress | undefined;
  #clientPort: number;
  #lookups = 0;
  #closed = false;
  /** How often everything was forgotten. */
  #generation = 0;

  constructor(options: AssociationOptions) {
    this.#options = options;
    this.#clientIp = options.client.ip;
    this.#clientPort = options.client.port;
  }

  /** The socket that the client sends to. Its datagrams go to {@linkcode fromClient}. */
  set inbound(socket: DatagramSocket) {
    this.#inbound = socket;
    if (this.#closed) socket.close();
  }

  /** Takes a datagram that arrived where the client sends to. What is wrong with it drops it, and it alone. */
  fromClient(bytes: Uint8Array, ip: IpAddress, port: number): void {
    if (this.#clientIp !== undefined && ip !== this.#clientIp) return;
    if (this.#clientPort !== 0 && port !== this.#clientPort) return;
    if (this.#lastDestination !== undefined && startsWith(bytes, this.#lastHeader)) {
      this.#options.meter.datagrams++;
      return this.#forward(this.#lastDestination, bytes.subarray(this.#lastHeader.length));
    }
    let datagram: SocksDatagram;
    try {
      datagram = decodeDatagram(bytes);
    } catch (error) {
      if (error instanceof ProtocolError) return;
      throw error;
    }
    this.#clientIp = ip;
    this.#clientPort = port;
    this.#options.meter.datagrams++;
    const data = datagram.fragment === 0 ? datagram.data : this.#fragments.add(datagram, performance.now());
    if (data === undefined || datagram.target.port === 0) return;
    const { mayPass } = this.#options;
    if (mayPass === undefined) {
      const destination = this.#send(datagram.target, data);
      if (destination !== undefined && datagram.fragment === 0) {
        this.#lastHeader = bytes.slice(0, bytes.length - data.length);
        this.#lastDestination = destination;
      }
      return;
    }
    mayPass(datagram.target, data.length).then((may) => {
      if (may) this.#send(datagram.target, data);
    }, () => {});
  }

  /** Forgets which destinations and senders were allowed: they are asked for again. */
  forget(): void {
    this.#generation++;
    this.#destinations.clear();
    this.#senders.clear();
    this.#lastHeader = NOTHING;
    this.#lastDestination = undefined;
    this.#lastSender = undefined;
  }

  /** Closes its sockets. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#inbound?.close();
    for (const socket of this.#outgoing.values()) socket.then((socket) => socket.close(), () => {});
    this.#destinations.clear();
    this.#senders.clear();
    this.#lastDestination = undefined;
  }

  /** Sends to a target, now or when its address is known. Returns the destination if that is now. */
  #send(target: Target, data: Uint8Array): Destination | undefined {
    const key = `${target.host} ${target.port}`;
    const destination = this.#destinations.get(key);
    if (destination?.socket !== undefined) {
      this.#forward(destination, data);
      return destination;
    }
    if (destination !== undefined) {
      if (destination.waiting.length < MAX_WAITING) destination.waiting.push(data);
    } else if (this.#lookups < this.#options.maxLookups && !this.#closed) {
      this.#find(key, target, data);
    }
    return undefined;
  }

  #forward({ address, socket }: Destination, data: Uint8Array): void {
    const { meter, pace } = this.#options;
    if (pace !== undefined && !pace.takeAll(data.length, true)) return;
    meter.sent += data.length;
    socket!.send(data, address!.ip, address!.port);
  }

  async #find(key: string, target: Target, data: Uint8Array): Promise<void> {
    const destination: Destination = { address: undefined, socket: undefined, waiting: [data] };
    const generation = this.#generation;
    remember(this.#destinations, key, destination, this.#options.maxDestinations);
    this.#lookups++;
    try {
      const found = await this.#options.route(target);
      const socket = "ip" in found ? await this.#socketFor(found.ip) : found;
      if (this.#closed || this.#generation !== generation) return;
      if ("ip" in found) this.#knowSender(found);
      destination.address = "ip" in found ? found : ELSEWHERE;
      destination.socket = socket;
      for (const data of destination.waiting.splice(0)) this.#forward(destination, data);
    } catch {
      // The next datagram may try again.
      if (this.#generation === generation) this.#destinations.delete(key);
    } finally {
      this.#lookups--;
    }
  }

  #socketFor(to: IpAddress): Promise<DatagramSocket> {
    const version = ipVersion(to);
    let socket = this.#outgoing.get(version);
    if (socket === undefined) {
      socket = this.#options.runtime.bindDatagram({
        address: { ip: this.#options.sourceFor?.(to) ?? (version === 4 ? "0.0.0.0" : "::"), port: 0 },
        onDatagram: (bytes, ip, port) => this.#fromTarget(bytes, ip, port),
      });
      this.#outgoing.set(version, socket);
      socket.then((open) => this.#closed && open.close(), () => this.#outgoing.delete(version));
    }
    return socket;
  }

  #fromTarget(data: Uint8Array, ip: IpAddress, port: number): void {
    const last = this.#lastSender;
    if (last !== undefined && last.address.port === port && last.address.ip === ip) {
      return this.answer(last.header, data);
    }
    const sender = this.#senders.get(formatHostPort(ip, port));
    if (sender !== undefined) {
      this.#lastSender = sender;
      return this.answer(sender.header, data);
    }
    const address = { ip, port };
    const generation = this.#generation;
    this.#options.mayAnswer(address).then((may) => {
      if (may && this.#generation === generation) this.answer(this.#knowSender(address).header, data);
    }, () => {});
  }

  /** Hands the client a datagram, with the header that tells its source. */
  answer(header: Uint8Array, data: Uint8Array): void {
    if (this.#clientIp === undefined || this.#clientPort === 0 || this.#closed) return;
    const { meter, pace } = this.#options;
    if (pace !== undefined && !pace.takeAll(data.length, false)) return;
    const bytes = slab.take(header.length + data.length);
    bytes.set(header);
    bytes.set(data, header.length);
    meter.datagrams++;
    meter.received += data.length;
    this.#inbound?.send(bytes, this.#clientIp, this.#clientPort);
  }

  #knowSender(address: SocketAddress): Sender {
    const { ip, port } = address;
    const header = encodeDatagramHeader({ type: ip.includes(":") ? "ipv6" : "ipv4", host: ip, port });
    const sender = { address, header };
    remember(this.#senders, formatHostPort(ip, port), sender, this.#options.maxDestinations);
    return sender;
  }
}

/** Whether bytes begin with others. */
function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  if (bytes.length < head.length) return false;
  for (let i = 0; i < head.length; i++) if (bytes[i] !== head[i]) return false;
  return true;
}
