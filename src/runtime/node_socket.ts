import type { Buffer } from "node:buffer";
import { Socket } from "node:net";
import { canonicalIp, type SocketAddress } from "../net/address.ts";
import type { NetError } from "../net/errors.ts";
import { type StreamPair, streamsOf } from "../stream/streams_of.ts";
import { LANDING, SMALL_LANDING } from "./buffers.ts";
import { newNetError, toNetError } from "./errno.ts";
import type { Connection, Duplex } from "./runtime.ts";

/** What lies under a `Socket`: not public, so every use of it is tested for first. */
export interface Handle {
  useUserBuffer?: (buffer: Uint8Array) => unknown;
}

/** Takes over what a connection reads and when it may write: one side of a relay. */
export interface Tap {
  /** Bytes came, good only within the call unless the tap chose the buffer itself. `false` stops reading. */
  onRead(bytes: Uint8Array): boolean;
  /** Everything written has gone out. */
  onDrain(): void;
  /** The peer has half-closed. */
  onEnd(): void;
  /** The connection is gone; without an error when both directions have ended well. */
  onClose(error: NetError | undefined): void;
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
export class NodeConnection implements Connection, Duplex {
  /** The socket itself, for the relay. */
  readonly socket: Socket;
  /** What the next read lands in, where reads land in our buffers. A tap may choose it. */
  buffer: Uint8Array = SMALL_LANDING;

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

  constructor(options: NodeConnectionOptions) {
    this.#onread = options.onread && options.socket === undefined;
    this.socket = options.socket ?? new Socket(this.#socketOptions(options.handle));
    this.#local = options.local;
    const socket = this.socket as OwnedSocket;
    socket[OWNER] = this;
    // Shared functions instead of closures: thousands of idle connections hold these.
    socket.on("drain", onDrain).on("end", onEnd).on("error", onError).on("close", onClose);
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

  /**
   * Hands the connection over to a relay.
   *
   * @returns What was read ahead, or `undefined` where the streams or a reader have it already.
   */
  take(tap: Tap): Uint8Array | undefined {
    if (this.#taken || this.#reader !== undefined || this.#streams !== undefined) return undefined;
    this.#taken = true;
    this.#tap = tap;
    const chunk = this.#chunk ?? NOTHING;
    this.#chunk = undefined;
    return chunk;
  }

  /** Whether {@linkcode NodeConnection.take} would hand it over. */
  get takeable(): boolean {
    return !this.#taken && this.#reader === undefined && this.#streams === undefined;
  }

  /** Tells a new tap what happened before it came. */
  catchUp(): void {
    if (this.#failure !== undefined) this.#tap?.onClose(this.#failure);
    else if (this.#ended) this.#tap?.onEnd();
  }

  /** Writes, and says whether the kernel has all of it. */
  push(bytes: Uint8Array): boolean {
    this.socket.write(bytes);
    return this.socket.writableLength === 0;
  }

  /** Changes the buffer of the read that is waiting already. `false` where the runtime cannot. */
  exchangeBuffer(buffer: Uint8Array): boolean {
    const handle = (this.socket as OwnedSocket)._handle;
    if (!this.#onread || typeof handle?.useUserBuffer !== "function") return false;
    handle.useUserBuffer(buffer);
    this.buffer = buffer;
    return true;
  }

  /** Whether reads land in {@linkcode NodeConnection.buffer}; otherwise each brings its own. */
  get landsInBuffer(): boolean {
    return this.#onread;
  }

  /** A read came, `this.buffer` or a chunk of its own. */
  received(bytes: Uint8Array): boolean {
    if (this.#tap !== undefined) return this.#tap.onRead(bytes);
    if (this.#failure !== undefined) return false;
    // After a full read the whole landing, or else a stream over this connection would crawl.
    if (bytes.length > SMALL_LANDING.length) this.buffer = LANDING;
    else this.buffer = bytes.length === SMALL_LANDING.length ? LANDING : SMALL_LANDING;
    const chunk = this.#onread ? bytes.slice() : bytes;
    const reader = this.#reader;
    if (reader === undefined) {
      this.#chunk = this.#chunk === undefined ? chunk : concat(this.#chunk, chunk);
      return false;
    }
    this.#reader = undefined;
    reader.resolve(chunk);
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
            buffer: () => this.buffer,
            callback: (length: number) => this.received(this.buffer.subarray(0, length)),
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
    // A UNIX socket has no RST; there its peer sees the end.
    if (this.#remote === undefined) this.socket.destroy();
    else this.socket.resetAndDestroy();
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
  if (!(this as OwnedSocket)[OWNER].received(chunk)) this.pause();
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
