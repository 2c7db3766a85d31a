import type { SocketAddress } from "../net/address.ts";
import type { NetError } from "../net/errors.ts";
import { type StreamPair, streamsOf } from "../stream/streams_of.ts";
import { newNetError, toNetError } from "./errno.ts";
import type { RelayEnd, Tap } from "./native_relay.ts";
import type { Connection, Duplex } from "./runtime.ts";

/**
 * What the connections of all our runtimes have in common: a socket that calls back on the one side, and on the other
 * the promises of {@linkcode Duplex}, the streams of {@linkcode Connection} or the tap of a relay.
 *
 * A socket that nobody reads from is read ahead by one chunk, and then paused.
 */
export abstract class SocketConnection implements Connection, Duplex, RelayEnd {
  /** Our end. */
  local: SocketAddress | undefined = undefined;
  /** The peer's end. */
  remote: SocketAddress | undefined = undefined;

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

  /** Goes on reading after {@linkcode SocketConnection.came} said `false`, or not: it is idempotent. */
  protected abstract resumeSocket(): void;
  /** Writes, and says whether the kernel has all of it. */
  protected abstract send(bytes: Uint8Array): boolean;
  /** Whether bytes wait that the kernel did not take. */
  protected abstract get pending(): boolean;
  /** Half-closes after what is pending. */
  protected abstract finish(): void;
  /** Closes both directions, after what is pending if that goes out soon. */
  protected abstract destroy(): void;
  /** Resets, without waiting for anything. */
  protected abstract reset(): void;

  /** What the peer sends. */
  get readable(): ReadableStream<Uint8Array> {
    return (this.#streams ??= streamsOf(this)).readable;
  }

  /** What the peer receives. */
  get writable(): WritableStream<Uint8Array> {
    return (this.#streams ??= streamsOf(this)).writable;
  }

  /** Fulfilled when both directions have ended. */
  get closed(): Promise<void> {
    return this.#closed ??= this.#gone
      ? Promise.resolve()
      : new Promise((resolve) => this.#resolveClosed = () => resolve());
  }

  /** See {@linkcode Duplex}. */
  read(): Promise<Uint8Array | null> {
    const chunk = this.#chunk;
    if (chunk !== undefined) {
      this.#chunk = undefined;
      return Promise.resolve(chunk);
    }
    if (this.#failure !== undefined) return rejected(this.#failure);
    if (this.#ended) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      this.resumeSocket();
    });
  }

  /** See {@linkcode Duplex}. */
  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) return rejected(this.#failure);
    if (this.#finished) return rejected(newNetError("closed", "Cannot write"));
    return bytes.length === 0 || this.send(bytes) ? undefined : this.#flushed();
  }

  /** See {@linkcode Duplex}. */
  closeWrite(): void {
    if (this.#finished || this.#failure !== undefined) return;
    this.#finished = true;
    this.finish();
  }

  /** See {@linkcode Connection}. */
  close(reason?: unknown): void {
    if (this.#gone) return;
    const hard = reason instanceof Error;
    if (this.#failure === undefined) {
      this.#chunk = undefined;
      this.#fail(hard ? toNetError(reason, "Cannot go on") : newNetError("closed", "Cannot go on"));
      if (!hard) return this.destroy();
    }
    // Again with an error: what a good close still waited for is over.
    if (hard) this.reset();
  }

  /** See {@linkcode Duplex}. */
  giveBack(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunk = concat(bytes, this.#chunk ?? NOTHING);
  }

  /** See {@linkcode RelayEnd}. */
  get takeable(): boolean {
    return !this.#taken && this.#reader === undefined && this.#streams === undefined;
  }

  /** See {@linkcode RelayEnd}. */
  take(tap: Tap): Uint8Array {
    this.#taken = true;
    this.#tap = tap;
    const chunk = this.#chunk ?? NOTHING;
    this.#chunk = undefined;
    return chunk;
  }

  /** See {@linkcode RelayEnd}. */
  catchUp(): void {
    if (this.#failure !== undefined) this.#tap?.onClose(this.#failure);
    else if (this.#ended) this.#tap?.onEnd();
  }

  /** See {@linkcode RelayEnd}. */
  push(bytes: Uint8Array): boolean {
    return this.send(bytes);
  }

  /** See {@linkcode RelayEnd}. */
  resume(): void {
    this.resumeSocket();
  }

  /** The tap of the relay that has taken this connection. */
  protected get tap(): Tap | undefined {
    return this.#tap;
  }

  /** Bytes came which are ours to keep. `false` asks to pause the socket. */
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
    if (this.#ended) return;
    this.#ended = true;
    this.#reader?.resolve(null);
    this.#reader = undefined;
    if (this.#failure === undefined) this.#tap?.onEnd();
  }

  /** The socket failed. */
  failed(error: unknown): void {
    this.#fail(toNetError(error, "Cannot go on"));
  }

  /**
   * The socket is closed; nothing comes after this.
   *
   * @param finished Whether all that was written, and the half-close, went out before.
   */
  gone(finished: boolean): void {
    if (this.#gone) return;
    this.#gone = true;
    if (this.#failure === undefined) {
      if (this.#ended && this.#finished && finished) this.#flush?.resolve();
      else this.#fail(newNetError("closed", "Cannot go on"));
    }
    this.#flush = undefined;
    this.#resolveClosed?.();
    if (this.#failure === undefined) this.#tap?.onClose(undefined);
    this.#tap = undefined;
  }

  /** Whether the peer has half-closed. */
  protected get hasEnded(): boolean {
    return this.#ended;
  }

  /** Whether both directions have ended well, so that the socket may go. */
  protected get done(): boolean {
    return this.#ended && this.#finished && !this.pending;
  }

  #flushed(): Promise<void> {
    if (this.#flush === undefined) {
      const flush = {} as Flush;
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
}

interface Settlers<T> {
  resolve: (value: T) => void;
  reject: (error: NetError) => void;
}

interface Flush extends Settlers<void> {
  promise: Promise<void>;
}

/** How long a connection closed in good order may take to send what was written, in milliseconds. */
export const LINGER = 5_000;

const NOTHING = new Uint8Array(0);

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
