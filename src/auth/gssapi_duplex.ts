/**
 * A stream whose bytes travel in tokens (RFC 1961 section 5).
 *
 * @module
 */

import { NetError } from "../net/errors.ts";
import { gssapiFrameFor, GssapiMessage } from "../protocol/gssapi.ts";
import type { Duplex } from "../runtime/runtime.ts";
import type { GssapiContext } from "./gssapi_context.ts";
import { GssapiFrames } from "./gssapi_frames.ts";

/** How much data goes into a token: more would wait longer for its last byte. */
const PIECE = 32 * 1024;

/** What the stream and the datagrams of one client share. */
export interface GssapiProtection {
  /** The context. It is released with the stream. */
  readonly context: GssapiContext;
  /** Whether everything is enciphered (level 2), and nothing else taken. */
  readonly confidential: boolean;
  /** Whether datagrams use the context as well: tokens of the stream may then have gaps between them. */
  hasDatagrams: boolean;
}

/** Makes room for a token with its header. */
export function dataFrame(length: number): Uint8Array {
  return gssapiFrameFor(GssapiMessage.DATA, length);
}

/** The bytes within. */
export class GssapiDuplex implements Duplex {
  readonly #base: Duplex;
  readonly #frames: GssapiFrames;
  readonly #protection: GssapiProtection;

  /**
   * @param base The stream.
   * @param protection What protects it.
   */
  constructor(base: Duplex, protection: GssapiProtection) {
    this.#base = base;
    this.#frames = new GssapiFrames(base);
    this.#protection = protection;
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const frame = await this.#frames.next();
      if (frame === null) return null;
      if (frame.type !== GssapiMessage.DATA) throw wrong(`found a message of type ${frame.type}, expected data`);
      const data = this.#unwrap(frame.token);
      if (data.length > 0) return data;
    }
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    if (bytes.length === 0) return undefined;
    return bytes.length <= PIECE ? this.#writePiece(bytes) : this.#writePieces(bytes);
  }

  closeWrite(): void {
    this.#base.closeWrite();
  }

  close(reason?: unknown): void {
    this.#protection.context.release();
    this.#base.close(reason);
  }

  #writePiece(piece: Uint8Array): Promise<void> | undefined {
    const { context, confidential } = this.#protection;
    try {
      return this.#base.write(context.wrap(piece, confidential, dataFrame));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #writePieces(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += PIECE) await this.#writePiece(bytes.subarray(at, at + PIECE));
  }

  #unwrap(token: Uint8Array): Uint8Array {
    const { context, confidential, hasDatagrams } = this.#protection;
    const unwrapped = context.unwrap(token);
    if (unwrapped.replayed) throw wrong("found a token a second time");
    if (unwrapped.outOfOrder && !hasDatagrams) throw wrong("found a token out of its order");
    if (confidential && !unwrapped.confidential) throw wrong("found a token in the clear, expected it enciphered");
    return unwrapped.data;
  }
}

function wrong(problem: string): NetError {
  return new NetError("unknown", `Cannot go on with GSSAPI: ${problem}`);
}
