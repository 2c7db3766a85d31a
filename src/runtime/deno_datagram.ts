import { canonicalIp, formatAddress, type IpAddress, type SocketAddress } from "../net/address.ts";
import { descriptors } from "./descriptors.ts";
import { toNetError } from "./errno.ts";
import { bindDatagram as bindNodeDatagram } from "./node_datagram.ts";
import type { DatagramOptions, DatagramSocket } from "./runtime.ts";

interface NetAddr {
  transport: "udp";
  hostname: string;
  port: number;
}

interface DatagramConn {
  readonly addr: NetAddr;
  receive(buffer: Uint8Array): Promise<[Uint8Array, NetAddr]>;
  send(bytes: Uint8Array, to: NetAddr): Promise<number>;
  close(): void;
}

type ListenDatagram = (options: NetAddr) => DatagramConn;

const { listenDatagram } = (globalThis as { Deno?: { listenDatagram?: ListenDatagram } }).Deno ?? {};

/**
 * Opens a UDP socket. `Deno.listenDatagram` costs a third of what `node:dgram` on Deno does, but exists only with
 * `--unstable-net`; and on `::` it would take IPv4 as well.
 *
 * @throws {NetError} See `Runtime.bindDatagram`.
 */
export function bindDatagram(options: DatagramOptions): Promise<DatagramSocket> {
  const { ip, port } = options.address;
  if (listenDatagram === undefined || ip === "::") return bindNodeDatagram(options);
  try {
    const conn = listenDatagram({ transport: "udp", hostname: ip, port });
    return Promise.resolve(new DenoDatagramSocket(conn, options.onDatagram));
  } catch (error) {
    return Promise.reject(toNetError(error, `Cannot listen on "${formatAddress(options.address)}"`, "listen"));
  }
}

/** The longest datagram there is. */
const BUFFER_LENGTH = 65_535;

class DenoDatagramSocket implements DatagramSocket {
  readonly address: SocketAddress;
  readonly #conn: DatagramConn;
  #closed = false;

  constructor(conn: DatagramConn, onDatagram: DatagramOptions["onDatagram"]) {
    const { hostname, port } = conn.addr;
    this.address = { ip: canonicalIp(hostname), port };
    this.#conn = conn;
    descriptors.take();
    this.#receive(onDatagram);
  }

  send(bytes: Uint8Array, ip: IpAddress, port: number): void {
    if (this.#closed) return;
    try {
      this.#conn.send(bytes, { transport: "udp", hostname: ip, port }).catch(ignore);
    } catch {
      // Lost, as on any network.
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
    descriptors.give();
  }

  async #receive(onDatagram: DatagramOptions["onDatagram"]): Promise<void> {
    const buffer = new Uint8Array(BUFFER_LENGTH);
    while (!this.#closed) {
      let received: [Uint8Array, NetAddr];
      try {
        received = await this.#conn.receive(buffer);
      } catch {
        // Closed, or an ICMP message about one peer, which is no reason to stop serving the others.
        continue;
      }
      const [bytes, { hostname, port }] = received;
      onDatagram(bytes.slice(), canonicalIp(hostname), port);
    }
  }
}

function ignore(): void {}
