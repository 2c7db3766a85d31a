import { canonicalIp, type SocketAddress } from "../net/address.ts";
import { type StreamPair, streamsOf } from "../stream/streams_of.ts";
import { newNetError, toNetError } from "./errno.ts";
import type { Connection, Duplex } from "./runtime.ts";

/** What is used of a `Deno.Conn`, spelt out so that this module loads where there is no Deno. */
export interface DenoConnLike {
  /** Our end. */
  readonly localAddr: { readonly transport: string; readonly hostname?: string; readonly port?: number };
  /** The peer's end. */
  readonly remoteAddr: { readonly transport: string; readonly hostname?: string; readonly port?: number };
  /** Reads into a buffer; `null` at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes. */
  write(bytes: Uint8Array): Promise<number>;
  /** Half-closes. */
  closeWrite(): Promise<void>;
  /** Closes both directions. */
  close(): void;
  /** Disables Nagle's algorithm, on TCP. */
  setNoDelay?(noDelay?: boolean): void;
}

/**
 * Makes a connection of one that `Deno.listen`, `Deno.listenTls` or `Deno.connect` gave you. The streams of a
 * `Deno.Conn` close it whole when one direction ends, so they are left alone. Deno cannot reset: closing with an error
 * closes.
 *
 * @param conn The connection; from now on it is ours to read, write and close.
 */
export function fromDenoConn(conn: DenoConnLike): Connection & Duplex {
  return new DenoConnection(conn);
}

const BUFFER_LENGTH = 16 * 1024;

class DenoConnection implements Connection, Duplex {
  readonly local: SocketAddress | undefined;
  readonly remote: SocketAddress | undefined;
  readonly closed: Promise<void>;
  readonly #conn: DenoConnLike;
  #resolveClosed!: () => void;
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  #given: Uint8Array | undefined;
  #writing: Promise<void> | undefined;
  #ended = false;
  #finished = false;
  #failure: Error | undefined;
  #streams: StreamPair | undefined;

  constructor(conn: DenoConnLike) {
    this.#conn = conn;
    this.local = addressOf(conn.localAddr);
    this.remote = addressOf(conn.remoteAddr);
    this.closed = new Promise((resolve) => this.#resolveClosed = resolve);
    try {
      conn.setNoDelay?.(true);
    } catch {
      // Closed already: the first read will tell.
    }
  }

  get readable(): ReadableStream<Uint8Array> {
    return this.#streamPair.readable;
  }

  get writable(): WritableStream<Uint8Array> {
    return this.#streamPair.writable;
  }

  giveBack(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const rest = this.#given ?? new Uint8Array(0);
    this.#given = new Uint8Array(bytes.length + rest.length);
    this.#given.set(bytes);
    this.#given.set(rest, bytes.length);
  }

  async read(): Promise<Uint8Array | null> {
    const given = this.#given;
    this.#given = undefined;
    if (given !== undefined && this.#failure === undefined) return given;
    if (this.#ended) return null;
    if (this.#failure !== undefined) throw this.#failure;
    const buffer = this.#buffer ??= new Uint8Array(BUFFER_LENGTH);
    try {
      const length = await this.#conn.read(buffer);
      if (length !== null) return buffer.subarray(0, length);
    } catch (error) {
      throw this.#fail(error, "Cannot read");
    }
    if (this.#failure !== undefined) throw this.#failure;
    this.#ended = true;
    this.#closeIfDone();
    return null;
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    if (bytes.length === 0) return undefined;
    const before = this.#writing;
    const writing = before === undefined ? this.#writeAll(bytes) : before.then(() => this.#writeAll(bytes));
    writing.catch(ignore);
    this.#writing = writing;
    return writing;
  }

  closeWrite(): void {
    if (this.#finished || this.#failure !== undefined) return;
    this.#finished = true;
    const finish = async (): Promise<void> => {
      try {
        await this.#writing;
        await this.#conn.closeWrite();
      } catch (error) {
        this.#fail(error, "Cannot close");
      }
      this.#closeIfDone();
    };
    finish();
  }

  close(reason?: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason instanceof Error
      ? toNetError(reason, "Cannot go on")
      : newNetError("closed", "Cannot go on");
    this.#end();
  }

  get #streamPair(): StreamPair {
    return this.#streams ??= streamsOf(this);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
    } catch (error) {
      throw this.#fail(error, "Cannot write");
    }
  }

  #fail(error: unknown, action: string): Error {
    if (this.#failure === undefined) {
      this.#failure = toNetError(error, action);
      this.#end();
    }
    return this.#failure;
  }

  #closeIfDone(): void {
    if (!this.#ended || !this.#finished || this.#failure !== undefined) return;
    this.#failure = newNetError("closed", "Cannot go on");
    this.#end();
  }

  #end(): void {
    this.#buffer = undefined;
    try {
      this.#conn.close();
    } catch {
      // Closed by its owner.
    }
    this.#resolveClosed();
  }
}

function addressOf(address: DenoConnLike["localAddr"]): SocketAddress | undefined {
  const { hostname, port } = address;
  return hostname === undefined || port === undefined ? undefined : { ip: canonicalIp(hostname), port };
}

function ignore(): void {}
