import type { Buffer } from "node:buffer";
import { Socket } from "node:net";
import { canonicalIp, type SocketAddress } from "../net/address.ts";
import type { NetError } from "../net/errors.ts";
import { type StreamPair, streamsOf } from "../stream/streams_of.ts";
import { LANDING, SMALL_LANDING } from "./buffers.ts";
import { newNetError, toNetError } from "./errno.ts";
import type { RelayEnd, Tap } from "./native_relay.ts";
import { ReadBuffer } from "./read_buffer.ts";
import type { Connection, Duplex } from "./runtime.ts";

/** What lies under a `Socket`: not public, so every use of it is tested for first. */
export interface Handle {
  useUserBuffer?: (buffer: Uint8Array) => unknown;
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

/** How long a connection closed in good order may take to send what was written, in milliseconds. */
const LINGER = 5_000;

const OWNER = Symbol("connection");
type OwnedSocket = Socket & { [OWNER]: NodeConnection; _handle?: Handle | null };

/**
 * A connection over `node:net`. It reads through `onread`, which spares the buffer that every `'data'` event
 * allocates, and reads ahead of its reader by one small chunk at most.
 */
export class NodeConnection implements Connection, Duplex, RelayEnd {
  /** The socket itself. */
  readonly socket: Socket;

  readonly #onread: boolean;
  #local: SocketAddress | undefined;
  #remote: SocketAddress | undefined;
  #chunk: Uint8Array | undefined;
  #ended = false;
  #finished = false;
  #gone = false;
  #failure: NetError | undefined;
  #reader: Settlers<Uint8Array | null> | undefined;
  #flush: Flush | undefined;
  #closed: Promise<void> | undefined;
  #resolveClosed: (() => void) | undefined;
  #streams: StreamPair | undefined;
  #tap: Tap | undefined;
  #taken = false;
  /** What the next read lands in. */
  #buffer: Uint8Array = SMALL_LANDING;
  #readBuffer: ReadBuffer | undefined;

  constructor(options: NodeConnectionOptions) {
    this.#onread = options.onread && options.socket === undefined;
    this.socket = options.socket ?? new Socket(this.#socketOptions(options.handle));
    this.#local = options.local;
    const socket = this.socket as OwnedSocket;
    socket[OWNER] = this;
    // Shared functions instead of closures: thousands of idle connections hold these.
    // Once end() was called, 'finish' comes in the place of 'drain'.
    socket.on("drain", onDrain).on("finish", onDrain).on("end", onEnd).on("error", onError).on("close", onClose);
    if (!this.#onread) socket.on("data", onData);
  }

  get readable(): ReadableStream<Uint8Array> {
    return this.#streamPair.readable;
  }

  get writable(): WritableStream<Uint8Array> {
    return this.#streamPair.writable;
  }

  get local(): SocketAddress | undefined {
    return this.#local;
  }

  get remote(): SocketAddress | undefined {
    return this.#remote;
  }

  get closed(): Promise<void> {
    return this.#closed ??= this.#gone
      ? Promise.resolve()
      : new Promise((resolve) => this.#resolveClosed = () => resolve());
  }

  read(): Promise<Uint8Array | null> {
    const chunk = this.#chunk;
    if (chunk !== undefined) {
      this.#chunk = undefined;
      return Promise.resolve(chunk);
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#ended) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      this.socket.resume();
    });
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) return rejected(this.#failure);
    if (this.#finished) return rejected(newNetError("closed", "Cannot write"));
    return bytes.length === 0 || this.push(bytes) ? undefined : this.#flushed();
  }

  closeWrite(): void {
    if (this.#finished || this.#failure !== undefined) return;
    this.#finished = true;
    this.socket.end();
  }

  close(reason?: unknown): void {
    const socket = this.socket;
    if (this.#failure !== undefined || this.#gone) {
      if (!this.#gone && reason instanceof Error) this.#reset();
      return;
    }
    const pending = socket.writableLength > 0;
    this.#chunk = undefined;
    this.#fail(reason instanceof Error ? toNetError(reason, "Cannot go on") : newNetError("closed", "Cannot go on"));
    if (reason instanceof Error) return this.#reset();
    if (!pending) {
      // What the kernel has already been given goes out before its FIN.
      socket.destroy();
      return;
    }
    const timer = setTimeout(() => socket.destroy(), LINGER);
    socket.once("close", () => clearTimeout(timer));
    socket.end(() => socket.destroy());
  }

  /** Reads where the addresses stand, which must be while the socket is open: they outlive it. */
  settleAddresses(remote?: SocketAddress): void {
    const { socket } = this;
    this.#remote = remote ?? addressOf(socket.remoteAddress, socket.remotePort);
    this.#local ??= addressOf(socket.localAddress, socket.localPort);
  }

  get takeable(): boolean {
    return !this.#taken && this.#reader === undefined && this.#streams === undefined;
  }

  take(tap: Tap): Uint8Array {
    this.#taken = true;
    this.#tap = tap;
    if (this.#onread) this.#readBuffer = new ReadBuffer(this, this.#buffer);
    const chunk = this.#chunk ?? NOTHING;
    this.#chunk = undefined;
    return chunk;
  }

  catchUp(): void {
    if (this.#failure !== undefined) this.#tap?.onClose(this.#failure);
    else if (this.#ended) this.#tap?.onEnd();
  }

  push(bytes: Uint8Array): boolean {
    const { socket } = this;
    if (this.#onread) socket.write(bytes);
    else socket.write(bytes, () => socket.writableLength === 0 && this.drained()); // its high water mark is not ours
    return socket.writableLength === 0;
  }

  resume(): void {
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

  /** A read has filled `length` bytes of the buffer. */
  landed(length: number): boolean {
    const tap = this.#tap;
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

  /** Bytes came which are ours to keep. */
  came(bytes: Uint8Array): boolean {
    if (this.#failure !== undefined) return false;
    if (this.#tap !== undefined) return this.#tap.onRead(bytes);
    const reader = this.#reader;
    if (reader === undefined) {
      this.#chunk = this.#chunk === undefined ? bytes : concat(this.#chunk, bytes);
      return false;
    }
    this.#reader = undefined;
    reader.resolve(bytes);
    return true;
  }

  /** All that was written has gone out. */
  drained(): void {
    const flush = this.#flush;
    this.#flush = undefined;
    flush?.resolve();
    this.#tap?.onDrain();
  }

  /** The peer has half-closed. */
  ended(): void {
    this.#ended = true;
    this.#reader?.resolve(null);
    this.#reader = undefined;
    if (this.#failure === undefined) this.#tap?.onEnd();
  }

  /** The socket failed. */
  failed(error: unknown): void {
    this.#fail(toNetError(error, "Cannot go on"));
  }

  /** The socket is closed; nothing comes after this. */
  gone(): void {
    this.#gone = true;
    const well = this.#ended && this.socket.writableFinished;
    if (this.#failure === undefined && !well) this.#fail(newNetError("closed", "Cannot go on"));
    this.#flush?.reject(this.#failure ?? newNetError("closed", "Cannot write"));
    this.#flush = undefined;
    this.#resolveClosed?.();
    if (well && this.#failure === undefined) this.#tap?.onClose(undefined);
    this.#tap = undefined;
    this.#readBuffer?.release();
    this.#readBuffer = undefined;
  }

  get #streamPair(): StreamPair {
    return this.#streams ??= streamsOf(this);
  }

  #socketOptions(handle: Handle | undefined): ConstructorParameters<typeof Socket>[0] {
    return {
      allowHalfOpen: true,
      // Any write that the kernel does not take at once is to be followed by a 'drain'.
      writableHighWaterMark: 1,
      ...(handle === undefined ? {} : { handle }),
      ...(this.#onread
        ? {
          onread: {
            buffer: () => this.#buffer,
            callback: (length: number) => this.landed(length),
          },
        }
        : {}),
    } as ConstructorParameters<typeof Socket>[0];
  }

  #flushed(): Promise<void> {
    if (this.#flush === undefined) {
      const flush = { resolve: ignore, reject: ignore } as unknown as Flush;
      flush.promise = new Promise<void>((resolve, reject) => {
        flush.resolve = resolve;
        flush.reject = reject;
      });
      // A caller may write and go; the failure shows in its next call.
      flush.promise.catch(ignore);
      this.#flush = flush;
    }
    return this.#flush.promise;
  }

  #fail(error: NetError): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#reader?.reject(error);
    this.#reader = undefined;
    this.#flush?.reject(error);
    this.#flush = undefined;
    this.#tap?.onClose(error);
  }

  #reset(): void {
    const { socket } = this;
    // A UNIX socket has no RST; there its peer sees the end.
    if (this.#remote === undefined) return void socket.destroy();
    const shuttingDown = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0;
    if (!shuttingDown) return void socket.resetAndDestroy();
    // While its half-close is under way, a turn of the loop, the system's loop refuses to reset a socket.
    socket.once("finish", () => socket.destroyed || socket.resetAndDestroy());
  }
}

interface Settlers<T> {
  resolve: (value: T) => void;
  reject: (error: NetError) => void;
}

interface Flush extends Settlers<void> {
  promise: Promise<void>;
}

const NOTHING = new Uint8Array(0);

function onData(this: Socket, chunk: Buffer): void {
  if (!(this as OwnedSocket)[OWNER].came(chunk)) this.pause();
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
  (this as OwnedSocket)[OWNER].gone();
}

function addressOf(ip: string | undefined, port: number | undefined): SocketAddress | undefined {
  return ip === undefined || port === undefined ? undefined : { ip: canonicalIp(ip), port };
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function rejected(error: NetError): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(ignore);
  return promise;
}

function ignore(): void {}
