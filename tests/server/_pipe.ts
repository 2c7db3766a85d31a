import { NetError } from "../../src/net/errors.ts";
import type { SocketAddress } from "../../src/net/address.ts";
import type { Connection, Duplex, StreamPair } from "../../src/runtime/runtime.ts";
import { streamsOf } from "../../src/stream/streams_of.ts";

const POISON = 0xee;

/** One direction of a {@linkcode PipeEnd}: bytes, then an end or an error. */
class Direction {
  #chunks: Uint8Array[] = [];
  #size = 0;
  #ended = false;
  /** What the reader and the writer get. */
  #error: { readonly reader: NetError; readonly writer: NetError } | undefined;
  #abandoned: NetError | undefined;
  #wake: (() => void)[] = [];
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get waiting(): number {
    return this.#size;
  }

  async take(): Promise<Uint8Array | null> {
    while (this.#size === 0) {
      if (this.#error !== undefined) throw this.#error.reader;
      if (this.#ended) return null;
      await this.#change();
    }
    const chunk = this.#chunks.shift()!;
    this.#size -= chunk.length;
    this.#changed();
    return chunk;
  }

  async put(bytes: Uint8Array): Promise<void> {
    if (this.#error !== undefined) throw this.#error.writer;
    if (this.#ended) throw new NetError("closed", "Cannot write: the end was written");
    this.#chunks.push(bytes.slice());
    this.#size += bytes.length;
    this.#changed();
    await this.#room();
  }

  end(): void {
    this.#ended = true;
    this.#changed();
  }

  /** An end, and whoever still waits for room is told that it was in vain. */
  abandon(error: NetError): void {
    this.#abandoned ??= error;
    this.end();
  }

  /** Nothing more can be read or written; what was written and not read is lost. */
  fail(reader: NetError, writer: NetError): void {
    this.#error ??= { reader, writer };
    this.#chunks = [];
    this.#size = 0;
    this.#changed();
  }

  async #room(): Promise<void> {
    while (this.#size > this.#capacity) {
      if (this.#abandoned !== undefined) throw this.#abandoned;
      await this.#change();
    }
    if (this.#error !== undefined) throw this.#error.writer;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** Facts of a pair that a test chooses. */
export interface PipeOptions {
  /** The address of the first end. */
  readonly a?: SocketAddress | undefined;
  /** The address of the second end. */
  readonly b?: SocketAddress | undefined;
  /** Bytes that may wait in each direction before writing waits. */
  readonly capacity?: number | undefined;
}

/**
 * An end of a connection in memory, as strict as the contract allows: bytes that were read turn to poison with the next
 * read, one read at a time, writes wait when the other end does not read, closing with an error is a reset.
 */
export class PipeEnd implements Connection, Duplex {
  readonly local: SocketAddress | undefined;
  readonly remote: SocketAddress | undefined;
  readonly closed: Promise<void>;
  /** Why this end was closed by its holder. */
  closeReason: unknown;
  /** Whether its holder closed it. */
  isClosed = false;
  /** Whether its holder has half-closed it. */
  isFinished = false;
  /** How often its holder called `close`. */
  closes = 0;
  readonly #in: Direction;
  readonly #out: Direction;
  #last: Uint8Array | undefined;
  #reading = false;
  #finish = (): void => {};
  #streams: StreamPair | undefined;

  constructor(incoming: Direction, outgoing: Direction, local?: SocketAddress, remote?: SocketAddress) {
    this.#in = incoming;
    this.#out = outgoing;
    this.local = local;
    this.remote = remote;
    this.closed = new Promise((resolve) => this.#finish = resolve);
  }

  get readable(): ReadableStream<Uint8Array> {
    return (this.#streams ??= streamsOf(this)).readable;
  }

  get writable(): WritableStream<Uint8Array> {
    return (this.#streams ??= streamsOf(this)).writable;
  }

  /** Bytes that the other end has written and nobody has read here. */
  get unread(): number {
    return this.#in.waiting;
  }

  async read(): Promise<Uint8Array | null> {
    if (this.#reading) throw new Error("Cannot read: another read is under way");
    this.#reading = true;
    this.#last?.fill(POISON);
    this.#last = undefined;
    try {
      const chunk = await this.#in.take();
      this.#last = chunk ?? undefined;
      return chunk;
    } finally {
      this.#reading = false;
    }
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    return this.#out.put(bytes);
  }

  closeWrite(): void {
    this.isFinished = true;
    this.#out.end();
  }

  close(reason?: unknown): void {
    this.closes++;
    if (this.isClosed) return;
    this.isClosed = true;
    this.closeReason = reason;
    const mine = reason instanceof NetError ? reason : new NetError("closed", "Cannot go on: connection closed here");
    const reset = new NetError("reset", "Cannot go on: connection reset by the other end");
    this.#in.fail(mine, reset);
    if (reason instanceof Error) this.#out.fail(reset, mine);
    else this.#out.abandon(mine);
    this.#finish();
  }
}

/** A pair of connected ends. */
export function pipe(options: PipeOptions = {}): [PipeEnd, PipeEnd] {
  const { a, b, capacity = 65_536 } = options;
  const [there, back] = [new Direction(capacity), new Direction(capacity)];
  return [new PipeEnd(back, there, a, b), new PipeEnd(there, back, b, a)];
}

/** Two plain stream pairs that are connected to each other, and nothing else. */
export function streamPipe(): [StreamPair, StreamPair] {
  const there = new TransformStream<Uint8Array, Uint8Array>();
  const back = new TransformStream<Uint8Array, Uint8Array>();
  return [
    { readable: back.readable, writable: there.writable },
    { readable: there.readable, writable: back.writable },
  ];
}
