import type { SocketAddress } from "../net/address.ts";
import { newNetError } from "./errno.ts";
import type { Connection, Duplex } from "./runtime.ts";
import { SocketConnection } from "./socket_connection.ts";

/** How two connections in memory are joined. */
export interface MemoryPairOptions {
  /**
   * How much each direction holds before its writer has to wait, in bytes.
   *
   * @default {65536}
   */
  readonly capacity?: number | undefined;
  /** Cuts what is written into other pieces, as a network may. The pieces must add up to the same bytes. */
  readonly split?: ((bytes: Uint8Array) => Iterable<Uint8Array>) | undefined;
  /** The addresses of the two ends. */
  readonly addresses?: readonly [SocketAddress | undefined, SocketAddress | undefined] | undefined;
}

/**
 * Two connections joined back to back: what one writes the other reads.
 *
 * @example What one end writes the other reads
 * ```ts
 * import { connectionPair } from "@x/socks";
 * import { assertEquals } from "@std/assert";
 *
 * const [here, there] = connectionPair();
 * here.write(Uint8Array.of(1, 2, 3));
 * assertEquals(await there.read(), Uint8Array.of(1, 2, 3));
 * ```
 */
export function connectionPair(options: MemoryPairOptions = {}): [Connection & Duplex, Connection & Duplex] {
  return memoryPair(options);
}

/** {@linkcode connectionPair}, for those who know what it is made of. */
export function memoryPair(options: MemoryPairOptions): [MemoryConnection, MemoryConnection] {
  const { capacity = 65_536, split = whole, addresses = [undefined, undefined] } = options;
  const [first, second] = [new Pipe(capacity, split), new Pipe(capacity, split)];
  const here = new MemoryConnection(second, first, addresses[0], addresses[1]);
  const there = new MemoryConnection(first, second, addresses[1], addresses[0]);
  first.join(here, there);
  second.join(there, here);
  return [here, there];
}

/** One end of a pair. */
export class MemoryConnection extends SocketConnection {
  readonly #incoming: Pipe;
  readonly #outgoing: Pipe;

  /** See {@linkcode connectionPair}. */
  constructor(incoming: Pipe, outgoing: Pipe, local?: SocketAddress, remote?: SocketAddress) {
    super();
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.local = local;
    this.remote = remote;
  }

  override ended(): void {
    super.ended();
    this.#closeIfDone();
  }

  override drained(): void {
    super.drained();
    this.#closeIfDone();
  }

  protected override resumeSocket(): void {
    this.#incoming.resume();
  }

  protected override send(bytes: Uint8Array): boolean {
    return this.#outgoing.write(bytes);
  }

  protected override get pending(): boolean {
    return this.#outgoing.pending;
  }

  protected override finish(): void {
    this.#outgoing.end();
    this.#closeIfDone();
  }

  protected override destroy(): void {
    this.#incoming.abandon();
    this.#outgoing.end();
    this.gone(true);
  }

  protected override reset(): void {
    this.#incoming.abandon();
    this.#outgoing.break();
    this.gone(false);
  }

  #closeIfDone(): void {
    if (this.done) queueMicrotask(() => this.gone(true));
  }
}

/** One direction of a pair. */
class Pipe {
  readonly #capacity: number;
  readonly #split: (bytes: Uint8Array) => Iterable<Uint8Array>;
  #writer!: MemoryConnection;
  #reader!: MemoryConnection;
  /** What has been taken from the writer. */
  #chunks: Uint8Array[] = [];
  #size = 0;
  /** What the writer still has to keep. */
  #waiting: Uint8Array[] = [];
  #paused = false;
  #scheduled = false;
  #ended = false;
  #over = false;
  #abandoned = false;

  constructor(capacity: number, split: (bytes: Uint8Array) => Iterable<Uint8Array>) {
    this.#capacity = capacity;
    this.#split = split;
  }

  join(writer: MemoryConnection, reader: MemoryConnection): void {
    this.#writer = writer;
    this.#reader = reader;
  }

  get pending(): boolean {
    return this.#waiting.length > 0;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#abandoned) {
      this.#writerFails();
      return false;
    }
    if (this.#over) return false;
    this.#waiting.push(bytes);
    this.#fill();
    this.#schedule();
    return this.#waiting.length === 0;
  }

  /** The writer has half-closed. */
  end(): void {
    this.#ended = true;
    this.#schedule();
  }

  /** The writer has reset. */
  break(): void {
    if (this.#over) return;
    this.#stop();
    queueMicrotask(() => {
      this.#reader.failed(newNetError("reset", "Cannot go on"));
      this.#reader.gone(false);
    });
  }

  /** The reader has gone: what is written from now on is answered with a reset. */
  abandon(): void {
    this.#abandoned = true;
    if (this.#waiting.length > 0) this.#writerFails();
    this.#stop();
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  #writerFails(): void {
    queueMicrotask(() => {
      this.#writer.failed(newNetError("reset", "Cannot go on"));
      this.#writer.gone(false);
    });
  }

  #stop(): void {
    this.#over = true;
    this.#chunks = [];
    this.#waiting = [];
  }

  #schedule(): void {
    if (this.#scheduled || this.#paused || this.#over) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  /** Hands one chunk over, and comes back for the next: as on a real socket, others have their turn in between. */
  #deliver(): void {
    if (this.#over || this.#paused) return;
    const chunk = this.#chunks.shift();
    if (chunk === undefined) {
      if (!this.#ended) return;
      this.#over = true;
      this.#reader.ended();
      return;
    }
    this.#size -= chunk.length;
    if (!this.#reader.came(chunk)) this.#paused = true;
    const waited = this.pending;
    this.#fill();
    if (waited && !this.pending) this.#writer.drained();
    this.#schedule();
  }

  /** Takes from the writer what there is room for. */
  #fill(): void {
    while (this.#waiting.length > 0) {
      const room = this.#capacity - this.#size;
      if (room <= 0) return;
      const bytes = this.#waiting[0]!;
      const taken = bytes.slice(0, room);
      this.#size += taken.length;
      for (const piece of this.#split(taken)) if (piece.length > 0) this.#chunks.push(piece);
      if (taken.length < bytes.length) this.#waiting[0] = bytes.subarray(taken.length);
      else this.#waiting.shift();
    }
  }
}

function whole(bytes: Uint8Array): Uint8Array[] {
  return [bytes];
}
