import { Duplex as NodeDuplex } from "node:stream";
import type { Duplex } from "./runtime.ts";

/** What a `net.Socket` has besides, and those who were made for one ask of it. */
interface SocketManners {
  /** Emits `timeout` after so many milliseconds without traffic; 0 for never. */
  setTimeout(milliseconds: number, callback?: () => void): this;
  /** Does nothing: the socket beneath is set already. */
  setNoDelay(): this;
  /** Does nothing. */
  setKeepAlive(): this;
  /** Does nothing. */
  ref(): this;
  /** Does nothing. */
  unref(): this;
}

/** A stream of Node's over a connection. It half-closes, and has the manners of a socket. */
export class NodeStream extends NodeDuplex implements SocketManners {
  readonly #duplex: Duplex;
  #reading = false;
  /** Whether more was asked for since the last read began. */
  #wanted = false;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #patience = 0;

  /** @param duplex The connection; from now on it is the stream's. */
  constructor(duplex: Duplex) {
    super({ allowHalfOpen: true, autoDestroy: true });
    this.#duplex = duplex;
  }

  override _read(): void {
    this.#wanted = true;
    if (!this.#reading) this.#pump();
  }

  override _write(chunk: Uint8Array, _encoding: unknown, callback: (error?: Error | null) => void): void {
    this.#busy();
    // The chunk may be changed once it is written, but not before.
    const written = this.#duplex.write(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
    if (written === undefined) callback();
    else written.then(() => callback(), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#duplex.closeWrite();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#idle);
    this.#patience = 0;
    this.#duplex.close(error ?? undefined);
    callback(error);
  }

  setTimeout(milliseconds: number, callback?: () => void): this {
    if (callback !== undefined) {
      if (milliseconds === 0) this.off("timeout", callback);
      else this.once("timeout", callback);
    }
    this.#patience = milliseconds;
    this.#busy();
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  async #pump(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#wanted) {
        this.#wanted = false;
        const chunk = await this.#duplex.read();
        if (this.destroyed) return;
        this.#busy();
        // The bytes are good until the next read only. While they are pushed, more may be asked for.
        if (this.push(chunk === null ? null : new Uint8Array(chunk))) this.#wanted = true;
        if (chunk === null) return;
      }
    } catch (error) {
      this.destroy(error as Error);
    } finally {
      this.#reading = false;
    }
  }

  /** There was traffic. */
  #busy(): void {
    clearTimeout(this.#idle);
    if (this.#patience > 0) this.#idle = setTimeout(() => this.emit("timeout"), this.#patience);
  }
}
