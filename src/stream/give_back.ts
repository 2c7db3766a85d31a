import type { Connection, Duplex, StreamPair } from "../runtime/runtime.ts";
import { streamsOf } from "./streams_of.ts";

/**
 * Gives bytes back to a connection that they were read from.
 *
 * @param connection The connection; nobody reads from it now.
 * @param bytes What was read too far.
 * @returns The same connection where it takes bytes back, as those of all our runtimes do, or else one around it.
 */
export function giveBack(connection: Connection & Duplex, bytes: Uint8Array): Connection & Duplex {
  if (bytes.length === 0) return connection;
  if (connection.giveBack === undefined) return new Refilled(connection, bytes.slice());
  connection.giveBack(bytes);
  return connection;
}

/** A connection with bytes before it. */
class Refilled implements Connection, Duplex {
  readonly local: Connection["local"];
  readonly remote: Connection["remote"];
  readonly #base: Connection & Duplex;
  #bytes: Uint8Array | undefined;
  #streams: StreamPair | undefined;

  constructor(base: Connection & Duplex, bytes: Uint8Array) {
    this.#base = base;
    this.#bytes = bytes;
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
    const bytes = this.#bytes;
    this.#bytes = undefined;
    return bytes === undefined ? this.#base.read() : Promise.resolve(bytes);
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    return this.#base.write(bytes);
  }

  closeWrite(): void {
    this.#base.closeWrite();
  }

  close(reason?: unknown): void {
    this.#bytes = undefined;
    this.#base.close(reason);
  }
}
