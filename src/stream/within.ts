import type { SocketAddress } from "../net/address.ts";
import type { Connection, Duplex, StreamPair } from "../runtime/runtime.ts";
import { streamsOf } from "./streams_of.ts";

/**
 * A connection within another: bytes of its own, at the addresses of the one without, and closed with it.
 *
 * No runtime relays it natively.
 */
export class Within implements Connection, Duplex {
  readonly local: SocketAddress | undefined;
  readonly remote: SocketAddress | undefined;
  readonly #base: Connection & Duplex;
  readonly #duplex: Duplex;
  #given: Uint8Array[] = [];
  #streams: StreamPair | undefined;

  /**
   * @param base The connection without.
   * @param duplex The bytes within; those of the connection without if not given.
   */
  constructor(base: Connection & Duplex, duplex: Duplex = base) {
    this.#base = base;
    this.#duplex = duplex;
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
    if (this.#duplex !== this.#base) this.#base.close(reason);
  }

  giveBack(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#given.unshift(bytes.slice());
  }
}
