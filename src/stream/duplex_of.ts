import { NetError } from "../net/errors.ts";
import type { Connection, Duplex } from "../runtime/runtime.ts";

/**
 * The calls of a connection: its own where it has them, else made over its streams.
 *
 * @param connection The connection. When it has streams alone, they are locked from now on.
 */
export function duplexOf(connection: Connection): Duplex {
  return isDuplex(connection) ? connection : new StreamDuplex(connection);
}

function isDuplex(connection: Connection): connection is Connection & Duplex {
  const calls = connection as Partial<Duplex>;
  return typeof calls.read === "function" && typeof calls.write === "function" &&
    typeof calls.closeWrite === "function";
}

class StreamDuplex implements Duplex {
  readonly #connection: Connection;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #closed: NetError | undefined;
  #finished = false;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#reader = connection.readable.getReader();
    this.#writer = connection.writable.getWriter();
    // Every failure reaches the caller through a read or a write.
    this.#reader.closed.catch(ignore);
    this.#writer.closed.catch(ignore);
    this.#writer.ready.catch(ignore);
  }

  async read(): Promise<Uint8Array | null> {
    if (this.#closed !== undefined) throw this.#closed;
    for (;;) {
      let result: ReadableStreamReadResult<Uint8Array>;
      try {
        result = await this.#reader.read();
      } catch (error) {
        throw this.#closed ?? asNetError(error, "Cannot read");
      }
      if (this.#closed !== undefined) throw this.#closed;
      if (result.done) return null;
      if (result.value.length > 0) return result.value;
    }
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    if (bytes.length === 0) return undefined;
    // The promise of the write, not `ready`: the stream keeps the chunk itself, which must not change before.
    const written = this.#writer.write(bytes).catch((error) => {
      throw this.#closed ?? asNetError(error, "Cannot write");
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
    if (this.#closed !== undefined) return;
    this.#closed = reason instanceof NetError ? reason : new NetError("closed", "Cannot go on: connection closed");
    if (reason instanceof Error) this.#writer.abort(reason).catch(ignore);
    else this.closeWrite();
    this.#reader.cancel(reason).catch(ignore);
    this.#connection.close(reason);
  }
}

function asNetError(error: unknown, action: string): NetError {
  if (error instanceof NetError) return error;
  return new NetError("unknown", `${action}: ${error instanceof Error ? error.message : "stream failed"}`, {
    cause: error,
  });
}

function ignore(): void {}
