import { NetError } from "../net/errors.ts";
import type { SocketAddress } from "../net/address.ts";
import type { Connection, Duplex, StreamPair } from "../runtime/runtime.ts";

/**
 * A connection with its calls: its own where it has them, else made over its streams.
 *
 * @param pair A connection, or the two streams that are the least of one. When it has streams alone, they are locked
 * from now on, so ask once and keep the answer: asked of that, this function returns it.
 */
export function duplexOf(pair: Connection | StreamPair): Connection & Duplex {
  return isDuplex(pair) ? pair : new StreamConnection(pair);
}

function isDuplex(pair: Connection | StreamPair): pair is Connection & Duplex {
  const calls = pair as Partial<Duplex>;
  return typeof calls.read === "function" && typeof calls.write === "function" &&
    typeof calls.closeWrite === "function";
}

class StreamConnection implements Connection, Duplex {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly local: SocketAddress | undefined;
  readonly remote: SocketAddress | undefined;
  readonly closed: Promise<void>;
  readonly #base: Partial<Connection>;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #given: Uint8Array[] = [];
  #error: NetError | undefined;
  #finished = false;
  #resolveClosed: () => void = ignore;
  /** Rejects the write that is under way: a stalled sink would never settle it. */
  #abandonWrite: ((error: NetError) => void) | undefined;

  constructor(base: StreamPair & Partial<Connection>) {
    this.readable = base.readable;
    this.writable = base.writable;
    this.local = base.local;
    this.remote = base.remote;
    this.#base = base;
    this.#reader = base.readable.getReader();
    this.#writer = base.writable.getWriter();
    this.closed = base.closed ?? new Promise((resolve) => this.#resolveClosed = resolve);
    // Every failure reaches the caller through a read or a write.
    this.#reader.closed.catch(ignore);
    this.#writer.closed.catch(ignore);
    this.#writer.ready.catch(ignore);
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      const given = this.#given.shift();
      if (given !== undefined) return given;
      let result: ReadableStreamReadResult<Uint8Array>;
      try {
        result = await this.#reader.read();
      } catch (error) {
        throw this.#error ?? asNetError(error, "Cannot read");
      }
      if (this.#error !== undefined) throw this.#error;
      if (result.done) return null;
      if (result.value.length > 0) return result.value;
    }
  }

  giveBack(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#given.unshift(bytes.slice());
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    if (bytes.length === 0) return undefined;
    if (this.#error !== undefined) return Promise.reject(this.#error);
    const written = new Promise<void>((resolve, reject) => {
      this.#abandonWrite = reject;
      // The promise of the write, not `ready`: the stream keeps the chunk itself, which must not change before.
      this.#writer.write(bytes).then(() => {
        this.#abandonWrite = undefined;
        resolve();
      }, (error) => reject(this.#error ?? asNetError(error, "Cannot write")));
    });
    written.catch(ignore);
    return written;
  }

  closeWrite(): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#writer.close().catch(ignore);
  }

  close(reason?: unknown): void {
    if (this.#error !== undefined) return;
    const error = reason instanceof NetError ? reason : new NetError("closed", "Cannot go on: connection closed");
    this.#error = error;
    if (reason instanceof Error || this.#abandonWrite !== undefined) this.#writer.abort(error).catch(ignore);
    else this.closeWrite();
    this.#abandonWrite?.(error);
    this.#reader.cancel(reason).catch(ignore);
    this.#base.close?.(reason);
    this.#resolveClosed();
  }
}

function asNetError(error: unknown, action: string): NetError {
  if (error instanceof NetError) return error;
  return new NetError("unknown", `${action}: ${error instanceof Error ? error.message : "stream failed"}`, {
    cause: error,
  });
}

function ignore(): void {}
