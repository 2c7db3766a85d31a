/**
 * Messages over a byte stream: what a handshake reads and writes with.
 *
 * @module
 */

import { NetError } from "../net/errors.ts";
import { type Decoder, ProtocolError } from "../protocol/decoded.ts";
import type { Duplex } from "../runtime/runtime.ts";

const NOTHING = new Uint8Array(0);

/**
 * Reads messages with decoders, whatever the chunks they arrive in. What follows a message is kept for the next one, or
 * for the relay.
 */
export class Channel {
  /** What lies beneath. */
  readonly duplex: Duplex;
  #buffer: Uint8Array = NOTHING;
  #begun: Promise<Uint8Array | null> | undefined;

  /** @param duplex Where the bytes come from and go to. */
  constructor(duplex: Duplex) {
    this.duplex = duplex;
  }

  /**
   * The next byte, which stays unread.
   *
   * @returns The byte, or `undefined` if the peer has ended before it.
   */
  async peek(): Promise<number | undefined> {
    while (this.#buffer.length === 0) {
      const chunk = await this.readChunk();
      if (chunk === null) return undefined;
      this.#buffer = chunk;
    }
    return this.#buffer[0];
  }

  /**
   * Reads one message.
   *
   * @param decode Its decoder.
   * @param limit The most bytes it can have.
   * @throws {ProtocolError} What the decoder throws, or `too-long`.
   * @throws {NetError} `closed` if the peer ends in the middle; whatever reading throws.
   */
  async read<T>(decode: Decoder<T>, limit: number): Promise<T> {
    for (;;) {
      const decoded = decode(this.#buffer);
      if (decoded !== undefined) {
        this.#buffer = this.#buffer.subarray(decoded.length);
        return decoded.value;
      }
      const rest = this.#buffer;
      if (rest.length >= limit) {
        throw new ProtocolError("too-long", `Cannot read a message: no end of it within ${limit} bytes`);
      }
      const kept = rest.length > 0 ? rest.slice() : rest; // the next read may reuse its memory
      const chunk = await this.readChunk();
      if (chunk === null) throw new NetError("closed", "Cannot read a message: the peer closed in the middle of it");
      this.#buffer = kept.length > 0 ? concat(kept, chunk) : chunk;
    }
  }

  /** Reads a chunk as it comes; what {@linkcode takeRest} would give is not part of it. */
  readChunk(): Promise<Uint8Array | null> {
    const begun = this.#begun;
    this.#begun = undefined;
    return begun ?? this.duplex.read();
  }

  /**
   * Begins to read a chunk without taking it, to learn whether the peer leaves: the next reader gets the same promise.
   *
   * @returns The chunk, or `null` at the end.
   */
  beginRead(): Promise<Uint8Array | null> {
    if (this.#begun === undefined && this.#buffer.length > 0) this.#buffer = this.#buffer.slice(); // it outlives the read
    return this.#begun ??= this.duplex.read();
  }

  /** Writes a message. */
  write(message: Uint8Array): Promise<void> | undefined {
    return this.duplex.write(message);
  }

  /** The bytes from here on, beginning with what was read beyond the last message. Nothing is read from the channel then. */
  stream(): Duplex {
    const rest = this.takeRest();
    if (rest.length === 0) return this.duplex;
    if (this.duplex.giveBack === undefined) return after(rest.slice(), this.duplex);
    this.duplex.giveBack(rest);
    return this.duplex;
  }

  /** Takes what was read beyond the last message. Good until the next read. */
  takeRest(): Uint8Array {
    const rest = this.#buffer;
    this.#buffer = NOTHING;
    return rest;
  }
}

/** What is read from a stream, with bytes before it. */
function after(first: Uint8Array, duplex: Duplex): Duplex {
  let bytes: Uint8Array | undefined = first;
  return {
    read: () => {
      const given = bytes;
      bytes = undefined;
      return given === undefined ? duplex.read() : Promise.resolve(given);
    },
    write: (bytes) => duplex.write(bytes),
    closeWrite: () => duplex.closeWrite(),
    close: (reason) => duplex.close(reason),
  };
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
