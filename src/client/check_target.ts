/**
 * The target that a check of a proxy brings with it.
 *
 * @module
 */

import type { IpAddress } from "../net/address.ts";
import type { Connection, DatagramSocket, Duplex, Listener, Runtime } from "../runtime/runtime.ts";
import { duplexOf } from "../stream/duplex_of.ts";

/** What the target does with a connection: the first byte that it reads says so. */
export const Wish = {
  /** Sends back what comes, the first byte too. */
  ECHO: 0x45,
  /** Reads to the end, and then says how many bytes there were. */
  DIGEST: 0x44,
  /** Says goodbye, ends, and reads on: {@linkcode CheckTarget.heard} says how much. */
  GOODBYE: 0x47,
  /** Sends for as long as somebody takes it, at most so many MiB as the second byte says. */
  SOURCE: 0x53,
  /** Answers each MiB with a byte. */
  SINK: 0x4b,
} as const;

/** 1 MiB. */
export const BLOCK: number = 1 << 20;

/** A server on this machine, for TCP and UDP, that only the proxy is told of. */
export class CheckTarget {
  /** Where it listens. */
  readonly ip: IpAddress;
  /** The TCP port. */
  readonly port: number;
  /** The UDP port: what comes there is sent back. */
  readonly udpPort: number;
  readonly #listener: Listener;
  readonly #socket: DatagramSocket;
  readonly #open: (Connection & Duplex)[] = [];
  #heard: (length: number) => void = () => {};

  /**
   * Listens.
   *
   * @throws {NetError} If this machine does not have the address.
   */
  static async open(runtime: Runtime, ip: IpAddress): Promise<CheckTarget> {
    const listener = await runtime.listen({ address: { ip, port: 0 } });
    try {
      const socket = await runtime.bindDatagram({
        address: { ip, port: 0 },
        onDatagram: (bytes, from, port) => socket.send(bytes, from, port),
      });
      return new CheckTarget(listener, socket);
    } catch (error) {
      listener.close();
      throw error;
    }
  }

  /** See {@linkcode CheckTarget.open}. */
  constructor(listener: Listener, socket: DatagramSocket) {
    const { ip, port } = listener.address as { ip: IpAddress; port: number };
    this.ip = ip;
    this.port = port;
    this.udpPort = socket.address.port;
    this.#listener = listener;
    this.#socket = socket;
    this.#accept();
  }

  /** How many bytes come after the next goodbye, up to the end. */
  heard(): Promise<number> {
    return new Promise((resolve) => this.#heard = resolve);
  }

  /** Ends it, and what is connected to it. */
  close(): void {
    this.#listener.close();
    this.#socket.close();
    for (const connection of this.#open) connection.close();
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) {
      const duplex = duplexOf(connection);
      this.#open.push(duplex);
      this.#serve(duplex).catch(() => duplex.close(new Error("broken")));
    }
  }

  async #serve(end: Duplex): Promise<void> {
    const first = await end.read();
    if (first === null) return end.close();
    const [wish] = first;
    const begun = first.slice();
    if (wish === Wish.ECHO) await echo(end, begun);
    else if (wish === Wish.DIGEST) await end.write(new TextEncoder().encode(`${await count(end, begun)}\n`));
    else if (wish === Wish.SINK) await acknowledge(end, begun);
    else if (wish === Wish.SOURCE) await send(end, begun[1] ?? 1);
    else if (wish === Wish.GOODBYE) return await this.#goodbye(end, begun);
    end.closeWrite();
    await count(end, begun); // a connection closed with bytes unread would be reset
    end.close();
  }

  async #goodbye(end: Duplex, begun: Uint8Array): Promise<void> {
    await end.write(new TextEncoder().encode("goodbye"));
    end.closeWrite();
    this.#heard(await count(end, begun) - 1);
    end.close();
  }
}

async function echo(end: Duplex, begun: Uint8Array): Promise<void> {
  for (let chunk: Uint8Array | null = begun; chunk !== null; chunk = await end.read()) await end.write(chunk.slice());
}

async function count(end: Duplex, begun: Uint8Array): Promise<number> {
  let length = 0;
  for (let chunk: Uint8Array | null = begun; chunk !== null; chunk = await end.read()) length += chunk.length;
  return length;
}

async function acknowledge(end: Duplex, begun: Uint8Array): Promise<void> {
  let [length, said] = [-1, 0];
  for (let chunk: Uint8Array | null = begun; chunk !== null; chunk = await end.read()) {
    length += chunk.length;
    const blocks = Math.floor(length / BLOCK);
    if (blocks > said) await end.write(new Uint8Array(blocks - said));
    said = blocks;
  }
}

async function send(end: Duplex, blocks: number): Promise<void> {
  const block = new Uint8Array(BLOCK / 16);
  for (let i = 0; i < blocks * 16; i++) await end.write(block);
}
