import { canonicalIp, formatAddress, type IpAddress, type SocketAddress } from "../net/address.ts";
import { Bun, type BunUdpSocket } from "./bun_api.ts";
import { descriptors } from "./descriptors.ts";
import { toNetError } from "./errno.ts";
import type { DatagramOptions, DatagramSocket } from "./runtime.ts";

/** A flag of Bun's that its documentation does not mention; `node:dgram` on Bun passes it for `ipv6Only`. */
const IPV6_ONLY = 8;

/**
 * Opens a UDP socket with `Bun.udpSocket`.
 *
 * @throws {NetError} See `Runtime.bindDatagram`.
 */
export async function bindDatagram(options: DatagramOptions): Promise<DatagramSocket> {
  const { address, onDatagram } = options;
  try {
    const socket = await Bun.udpSocket({
      hostname: address.ip,
      port: address.port,
      flags: address.ip === "::" ? IPV6_ONLY : 0,
      binaryType: "uint8array",
      socket: {
        data: (_socket, bytes, port, ip) => onDatagram(bytes, canonicalIp(ip), port),
        // An ICMP message about one peer is no reason to stop serving the others.
        error: ignore,
      },
    });
    return new BunDatagramSocket(socket);
  } catch (error) {
    throw toNetError(error, `Cannot listen on "${formatAddress(address)}"`, "listen");
  }
}

class BunDatagramSocket implements DatagramSocket {
  readonly address: SocketAddress;
  readonly #socket: BunUdpSocket;
  #closed = false;

  constructor(socket: BunUdpSocket) {
    const { address, port } = socket.address;
    this.address = { ip: canonicalIp(address), port };
    this.#socket = socket;
    descriptors.take();
  }

  send(bytes: Uint8Array, ip: IpAddress, port: number): void {
    if (this.#closed) return;
    try {
      this.#socket.send(bytes, port, ip);
    } catch {
      this.#sendAgain(bytes, ip, port);
    }
  }

  /** What failed may have been an earlier datagram, to a closed port: the system tells the next one to be sent. */
  #sendAgain(bytes: Uint8Array, ip: IpAddress, port: number): void {
    try {
      this.#socket.send(bytes, port, ip);
    } catch {
      // Too long, port 0, or an address of the other family: lost, as on any network.
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
    descriptors.give();
  }
}

function ignore(): void {}
