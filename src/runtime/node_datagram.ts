import { createSocket, type Socket } from "node:dgram";
import { canonicalIp, formatAddress, type IpAddress, ipVersion, type SocketAddress } from "../net/address.ts";
import { toNetError } from "./errno.ts";
import type { DatagramOptions, DatagramSocket } from "./runtime.ts";

type LookupCallback = (error: Error | null, address: string, family: number) => void;

/**
 * Opens a UDP socket over `node:dgram`. Its receive buffer stays as it is: Deno allocates that much for every packet.
 *
 * @throws {NetError} See `Runtime.bindDatagram`.
 */
export function bindDatagram(options: DatagramOptions): Promise<DatagramSocket> {
  const { address, onDatagram } = options;
  const family = ipVersion(address.ip);
  return new Promise((resolve, reject) => {
    const socket = createSocket({
      type: family === 4 ? "udp4" : "udp6",
      ipv6Only: family === 6,
      // Only addresses are ever sent to: the default would ask the resolver, a turn of the loop later.
      lookup: (host: string, _options: unknown, callback: LookupCallback) => callback(null, host, family),
    });
    const onError = (error: unknown): void => {
      socket.close();
      reject(toNetError(error, `Cannot listen on "${formatAddress(address)}"`, "listen"));
    };
    socket.once("error", onError);
    try {
      socket.bind({ address: address.ip, port: address.port, exclusive: true }, () => {
        socket.off("error", onError);
        // An ICMP message about one peer is no reason to stop serving the others.
        socket.on("error", ignore);
        socket.on("message", ({ buffer, byteOffset, length }, { address: ip, port }) => {
          onDatagram(new Uint8Array(buffer, byteOffset, length), canonicalIp(ip), port);
        });
        resolve(new NodeDatagramSocket(socket));
      });
    } catch (error) {
      onError(error);
    }
  });
}

class NodeDatagramSocket implements DatagramSocket {
  readonly address: SocketAddress;
  readonly #socket: Socket;
  #closed = false;

  constructor(socket: Socket) {
    const { address, port } = socket.address();
    this.address = { ip: canonicalIp(address), port };
    this.#socket = socket;
  }

  send(bytes: Uint8Array, ip: IpAddress, port: number): void {
    if (this.#closed) return;
    try {
      this.#socket.send(bytes, port, ip); // without a callback nobody hears of a failure, and none costs a turn
    } catch {
      // A port of 0 or an address of the other family: lost, as on any network.
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }
}

function ignore(): void {}
