/**
 * What every decoder here answers with.
 *
 * @module
 */

import { NetError } from "../net/errors.ts";

/** A message read from the front of some bytes. */
export interface Decoded<T> {
  /** The message. */
  readonly value: T;
  /** How many bytes it took. */
  readonly length: number;
}

/** Reads a message from the front of bytes: `undefined` asks for more bytes, a {@linkcode ProtocolError} refuses them. */
export type Decoder<T> = (bytes: Uint8Array) => Decoded<T> | undefined;

/** What is wrong with a message. */
export type ProtocolErrorCode =
  | "version"
  | "methods"
  | "command"
  | "address-type"
  | "address"
  | "port"
  | "too-long"
  | "reserved"
  | "reply"
  | "http";

/** Bytes that no RFC allows. */
export class ProtocolError extends NetError {
  /** What is wrong with the message. */
  readonly fault: ProtocolErrorCode;

  /**
   * Makes an error.
   *
   * @param fault What is wrong with the message.
   * @param message The action, a colon, the state found.
   */
  constructor(fault: ProtocolErrorCode, message: string) {
    super("not-supported", message);
    this.fault = fault;
  }
}
