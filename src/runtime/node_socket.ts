import type { Buffer } from "node:buffer";
import { Socket } from "node:net";
import { canonicalIp, type SocketAddress } from "../net/address.ts";
import { LANDING, SMALL_LANDING } from "./buffers.ts";
import { descriptors } from "./descriptors.ts";
import type { Tap } from "./native_relay.ts";
import { ReadBuffer } from "./read_buffer.ts";
import { LINGER, SocketConnection } from "./socket_connection.ts";

/** What lies under a `Socket`: not public, so every use of it is tested for first. */
export interface Handle {
  useUserBuffer?: (buffer: Uint8Array) => unknown;
  setNoDelay?: (on: boolean) => unknown;
  close(): void;
}

/** How a {@linkcode NodeConnection} gets its socket. */
export interface NodeConnectionOptions {
  /** The handle of an accepted socket; absent before a connect. */
  readonly handle?: Handle | undefined;
  /** A socket to take as it is: reads are then `'data'` events. */
  readonly socket?: Socket | undefined;
  /** Whether this runtime reads into our buffers (`onread`). */
  readonly onread: boolean;
  /** Our end, where it is known already. */
  readonly local?: SocketAddress | undefined;
}

const OWNER = Symbol("connection");
type OwnedSocket = Socket & { [OWNER]: NodeConnection; _handle?: Handle | null };

/**
 * A connection over `node:net`. It reads through `onread`, which spares the buffer that every `'data'` event
 * allocates.
 */
export class NodeConnection extends SocketConnection {
  /** The socket itself. */
  readonly socket: Socket;
  readonly #onread: boolean;
  /** What the next read lands in. */
  #buffer: Uint8Array = SMALL_LANDING;
  #readBuffer: ReadBuffer | undefined;
  /** Whether the close is the end in order of both directions. */
  #isWhole = false;

  constructor(options: NodeConnectionOptions) {
    super();
    this.#onread = options.onread && options.socket === undefined;
    this.socket = options.socket ?? new Socket(this.#socketOptions(options.handle));
    this.local = options.local;
    descriptors.take();
    const socket = this.socket as OwnedSocket;
    socket[OWNER] = this;
    // Shared functions instead of closures: thousands of idle connections hold these. Once end() was called, 'finish'
    // comes in the place of 'drain'.
    socket.on("drain", onDrain).on("finish", onDrain).on("end", onEnd).on("error", onError).on("close", onClose);
    if (!this.#onread) socket.on("data", onData);
  }

  /** Reads where the addresses stand, which must be while the socket is open: they outlive it. */
  settleAddresses(remote?: SocketAddress): void {
    const { socket } = this;
    this.remote = remote ?? addressOf(socket.remoteAddress, socket.remotePort);
    this.local ??= addressOf(socket.localAddress, socket.localPort);
  }

  override take(tap: Tap): Uint8Array {
    if (this.#onread) this.#readBuffer = new ReadBuffer(this, this.#buffer);
    return super.take(tap);
  }

  override resume(): void {
    this.#readBuffer?.resume();
    this.socket.resume();
  }

  /** Changes the buffer of the read that is waiting already. `false` where the runtime cannot. */
  exchangeBuffer(buffer: Uint8Array): boolean {
    const handle = (this.socket as OwnedSocket)._handle;
    if (!this.#onread || typeof handle?.useUserBuffer !== "function") return false;
    handle.useUserBuffer(buffer);
    this.#buffer = buffer;
    return true;
  }

  override gone(finished: boolean): void {
    super.gone(finished || this.#isWhole);
    descriptors.give();
    this.#readBuffer?.release();
    this.#readBuffer = undefined;
  }

  protected override resumeSocket(): void {
    this.socket.resume();
  }

  protected override send(bytes: Uint8Array): boolean {
    const { socket } = this;
    if (this.#onread) socket.write(bytes);
    // A socket not made by us has a high water mark of its own, beneath which no 'drain' comes.
    else socket.write(bytes, (error) => !error && socket.writableLength === 0 && this.drained());
    return socket.writableLength === 0;
  }

  protected override get pending(): boolean {
    return this.socket.writableLength > 0;
  }

  protected override finish(): void {
    // The second half of an end in order: to close sends the same FIN, and spares a shutdown and what comes with it.
    this.#isWhole = this.hasEnded && !this.pending;
    if (this.#isWhole) this.socket.destroy();
    else this.socket.end();
  }

  protected override destroy(): void {
    const { socket } = this;
    // What the kernel has been given goes out before its FIN.
    if (!this.pending) return void socket.destroy();
    const timer = setTimeout(() => socket.destroy(), LINGER);
    socket.once("close", () => clearTimeout(timer));
    socket.end(() => socket.destroy());
  }

  protected override reset(): void {
    const { socket } = this;
    // A UNIX socket has no RST; there its peer sees the end.
    if (this.remote === undefined) return void socket.destroy();
    const shuttingDown = socket.writableEnded && !socket.writableFinished && !this.pending;
    if (!shuttingDown) return void socket.resetAndDestroy();
    // While its half-close is under way, a turn of the loop, libuv refuses to reset a socket.
    socket.once("finish", () => socket.destroyed || socket.resetAndDestroy());
  }

  /** A read has filled `length` bytes of the buffer. */
  #landed(length: number): boolean {
    const { tap } = this;
    const readBuffer = this.#readBuffer;
    if (tap !== undefined && readBuffer !== undefined) {
      const written = tap.onRead(readBuffer.bytes(length));
      this.#buffer = readBuffer.next(length, written);
      return written;
    }
    const bytes = this.#buffer.slice(0, length);
    // After a full read the whole landing, or else a stream over this connection would crawl.
    this.#buffer = length < SMALL_LANDING.length ? SMALL_LANDING : LANDING;
    return this.came(bytes);
  }

  #socketOptions(handle: Handle | undefined): ConstructorParameters<typeof Socket>[0] {
    return {
      allowHalfOpen: true,
      // What Socket sets itself on its copy of these. On Node 20 a copy that lacks them gets a new hidden class per socket,
      // which costs 9 µs, and what the old ones still refer to outlives every scavenge.
      emitClose: false,
      autoDestroy: true,
      decodeStrings: false,
      // Any write that the kernel does not take at once is to be followed by a 'drain'.
      writableHighWaterMark: 1,
      handle,
      onread: this.#onread
        ? { buffer: () => this.#buffer, callback: (length: number) => this.#landed(length) }
        : undefined,
    } as ConstructorParameters<typeof Socket>[0];
  }
}

function onData(this: Socket, chunk: Buffer): void {
  // Not as a Buffer, whose slice() does not copy.
  const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
  if (!(this as OwnedSocket)[OWNER].came(bytes)) this.pause();
}

function onDrain(this: Socket): void {
  (this as OwnedSocket)[OWNER].drained();
}

function onEnd(this: Socket): void {
  (this as OwnedSocket)[OWNER].ended();
}

function onError(this: Socket, error: Error): void {
  (this as OwnedSocket)[OWNER].failed(error);
}

function onClose(this: Socket): void {
  (this as OwnedSocket)[OWNER].gone(this.writableFinished);
}

function addressOf(ip: string | undefined, port: number | undefined): SocketAddress | undefined {
  return ip === undefined || port === undefined ? undefined : { ip: canonicalIp(ip), port };
}
