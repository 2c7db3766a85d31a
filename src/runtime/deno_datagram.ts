import { canonicalIp, formatAddress, type IpAddress, type SocketAddress } from "../net/address.ts";
import { Slab } from "../stream/slab.ts";
import { descriptors } from "./descriptors.ts";
import { toNetError } from "./errno.ts";
import { bindDatagram } from "./node_datagram.ts";
import type { DatagramOptions, DatagramSocket } from "./runtime.ts";

/** No datagram is longer. */
const LONGEST = 65_536;
/** What is received into, and given away piece by piece: four times the longest, or most of it would be left over. */
const SLAB = 4 * LONGEST;
/** Errors in a row after which the socket is taken for dead. */
const MAX_ERRORS = 100;

interface NetAddr {
  readonly transport: "udp";
  readonly hostname: string;
  readonly port: number;
}

/** What is used of `Deno.DatagramConn`. */
interface DenoSocket {
  readonly addr: NetAddr;
  receive(into: Uint8Array): Promise<[Uint8Array, NetAddr]>;
  send(bytes: Uint8Array, to: NetAddr): Promise<number>;
  close(): void;
}

/** `Deno.listenDatagram`, which is there with `--unstable-net` or `"unstable": ["net"]` only. */
export type ListenDatagram = (options: NetAddr) => DenoSocket;

/**
 * Opens a UDP socket over `Deno.listenDatagram`: a third of the cost of `node:dgram` on Deno, which allocates the size
 * of the receive buffer for every packet.
 *
 * @throws {NetError} See `Runtime.bindDatagram`.
 */
export function bindDenoDatagram(listen: ListenDatagram, options: DatagramOptions): Promise<DatagramSocket> {
  const { address, onDatagram } = options;
  if (address.ip === "::") return bindDatagram(options); // this one would take IPv4 as well
  let socket: DenoSocket;
  try {
    socket = listen({ transport: "udp", hostname: address.ip, port: address.port });
  } catch (error) {
    return Promise.reject(toNetError(error, `Cannot listen on "${formatAddress(address)}"`, "listen"));
  }
  const datagramSocket = new DenoDatagramSocket(socket);
  receiveAll(socket, onDatagram);
  return Promise.resolve(datagramSocket);
}

class DenoDatagramSocket implements DatagramSocket {
  readonly address: SocketAddress;
  readonly #socket: DenoSocket;
  #to: NetAddr = { transport: "udp", hostname: "", port: 0 };
  #closed = false;

  constructor(socket: DenoSocket) {
    this.address = { ip: canonicalIp(socket.addr.hostname), port: socket.addr.port };
    this.#socket = socket;
    descriptors.take();
  }

  send(bytes: Uint8Array, ip: IpAddress, port: number): void {
    if (this.#closed) return;
    if (this.#to.port !== port || this.#to.hostname !== ip) this.#to = { transport: "udp", hostname: ip, port };
    this.#socket.send(bytes, this.#to).catch(ignore);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
    descriptors.give();
  }
}

async function receiveAll(socket: DenoSocket, onDatagram: DatagramOptions["onDatagram"]): Promise<void> {
  const slab = new Slab(SLAB);
  let errors = 0;
  while (errors < MAX_ERRORS) {
    let datagram: [Uint8Array, NetAddr];
    try {
      datagram = await socket.receive(slab.peek(LONGEST));
    } catch (error) {
      if (error instanceof Error && error.name === "BadResource") return;
      errors++; // an ICMP message about one peer is no reason to stop serving the others
      continue;
    }
    errors = 0;
    slab.keep(datagram[0].length);
    onDatagram(datagram[0], canonicalIp(datagram[1].hostname), datagram[1].port);
  }
}

function ignore(): void {}
