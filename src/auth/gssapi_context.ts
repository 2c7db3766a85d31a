/**
 * An established security context, whatever made it.
 *
 * @module
 */

import { NetError } from "../net/errors.ts";
import type { GssapiLibrary } from "./gssapi_library.ts";

/** What came out of a token. */
export interface Unwrapped {
  /** The data, the caller's to keep. */
  readonly data: Uint8Array;
  /** Whether it was enciphered. */
  readonly confidential: boolean;
  /** Whether the token came before, or is too old to tell. */
  readonly replayed: boolean;
  /** Whether others before it are missing, or came after it. */
  readonly outOfOrder: boolean;
}

/** A security context (RFC 2743), as far as it is needed once it is established. */
export interface GssapiContext {
  /**
   * Puts data into a token.
   *
   * @param data The data.
   * @param confidential Whether to encipher it.
   * @param frame Makes the room for a token of so many bytes; the token is put at its end.
   * @returns What `frame` gave.
   * @throws {NetError} `closed` after {@linkcode release}; `unknown` if the library will not.
   */
  wrap(data: Uint8Array, confidential: boolean, frame: (length: number) => Uint8Array): Uint8Array;
  /**
   * Takes data out of a token.
   *
   * @throws {NetError} `closed` after {@linkcode release}; `unknown` for what is no token of this context, or was changed.
   */
  unwrap(token: Uint8Array): Unwrapped;
  /** Lets go of it. Idempotent. */
  release(): void;
}

/** One of the library's. */
export class LibraryContext implements GssapiContext {
  readonly #library: GssapiLibrary;
  #context: bigint | undefined;

  /**
   * @param library The library.
   * @param context What it knows the context by.
   */
  constructor(library: GssapiLibrary, context: bigint) {
    this.#library = library;
    this.#context = context;
  }

  wrap(data: Uint8Array, confidential: boolean, frame: (length: number) => Uint8Array): Uint8Array {
    return this.#library.wrap(this.#open(), data, confidential, frame);
  }

  unwrap(token: Uint8Array): Unwrapped {
    return this.#library.unwrap(this.#open(), token);
  }

  release(): void {
    const context = this.#context;
    this.#context = undefined;
    if (context !== undefined) this.#library.deleteContext(context);
  }

  #open(): bigint {
    if (this.#context === undefined) throw new NetError("closed", "Cannot use the security context: it was released");
    return this.#context;
  }
}
