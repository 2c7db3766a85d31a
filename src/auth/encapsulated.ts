/**
 * A connection within what a method put around it.
 *
 * @module
 */

import type { SocketAddress } from "../net/address.ts";
import type { Connection, Duplex, StreamPair } from "../runtime/runtime.ts";
import { streamsOf } from "../stream/streams_of.ts";
import type { DatagramCodec, Encapsulation } from "./method.ts";

/** The bytes within, at the addresses of the connection without. No runtime relays it natively. */
export class Encapsulated implements Connection, Duplex {
  readonly local: SocketAddress | undefined;
  readonly remote: SocketAddress | undefined;
  /** What becomes of the datagrams of an association. */
  readonly datagrams: DatagramCodec | undefined;
  readonly #base: Connection & Duplex;
  readonly #duplex: Duplex;
  #given: Uint8Array[] = [];
  #streams: StreamPair | undefined;

  /**
   * @param base The connection without, which is closed with this one.
   * @param encapsulation What was put around it.
   */
  constructor(base: Connection & Duplex, { duplex = base, datagrams }: Encapsulation) {
    this.#base = base;
    this.#duplex = duplex;
    this.datagrams = datagrams;
    this.local = base.local;
    this.remote = base.remote;
  }

  get closed(): Promise<void> {
    return this.#base.closed;
  }

  get readable(): ReadableStream<Uint8Array> {
    return (this.#streams ??= streamsOf(this)).readable;
  }

  get writable(): WritableStream<Uint8Array> {
    return (this.#streams ??= streamsOf(this)).writable;
  }

  read(): Promise<Uint8Array | null> {
    const given = this.#given.shift();
    return given === undefined ? this.#duplex.read() : Promise.resolve(given);
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    return this.#duplex.write(bytes);
  }

  closeWrite(): void {
    this.#duplex.closeWrite();
  }

  close(reason?: unknown): void {
    this.#given = [];
    this.#duplex.close(reason);
    this.#base.close(reason);
  }

  giveBack(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#given.unshift(bytes.slice());
  }
}
