/**
 * What the handshakes have in common.
 *
 * @module
 */

import { Encapsulated } from "../auth/encapsulated.ts";
import type { Encapsulation, MethodChannel } from "../auth/method.ts";
import type { Decoder } from "../protocol/decoded.ts";
import type { Target } from "../protocol/address.ts";
import { Channel } from "../stream/channel.ts";
import type { Connection, Duplex } from "../runtime/runtime.ts";
import type { Proxy } from "./proxy.ts";
import { ProxyError, type ProxyErrorOptions, type ProxyPhase, replyError } from "./proxy_error.ts";
import type { NetErrorCode } from "../net/errors.ts";

/** What to ask a proxy for. */
export interface ProxyRequest {
  /** One of `Command`. */
  readonly command: number;
  /** DST.ADDR and DST.PORT. */
  readonly target: Target;
  /** What the target is to receive first, sent along with the request. Only with `optimistic`. */
  readonly payload?: Uint8Array | undefined;
}

/** Where in a chain a talk takes place. */
export interface DialogueOptions {
  /**
   * Which proxy of the chain it is, for errors.
   *
   * @default {0}
   */
  readonly hop?: number | undefined;
  /**
   * Whether it is the last one, for errors.
   *
   * @default {true}
   */
  readonly isLast?: boolean | undefined;
  /** Called when the proxy has been asked: what is waited for from now on is whom it was asked for. */
  readonly asked?: (() => void) | undefined;
}

/** The talk with one proxy, which knows how far it got. */
export class Dialogue {
  /** The proxy. */
  readonly proxy: Proxy;
  /** Which one of the chain it is, from 0. */
  readonly hop: number;
  /** Whether it is the last one of the chain. */
  readonly isLast: boolean;
  #connection: Connection & Duplex;
  #channel: Channel;
  readonly #asked: (() => void) | undefined;
  #phase: ProxyPhase;

  /**
   * @param connection The way to the proxy.
   * @param proxy The proxy.
   * @param phase What comes first.
   * @param options Which one of the chain it is, from 0; whether the last; who is told when the reply is awaited.
   */
  constructor(connection: Connection & Duplex, proxy: Proxy, phase: ProxyPhase, options: DialogueOptions) {
    this.#connection = connection;
    this.#channel = new Channel(connection);
    this.proxy = proxy;
    this.hop = options.hop ?? 0;
    this.isLast = options.isLast !== false;
    this.#asked = options.asked;
    this.#phase = phase;
  }

  /** How far it got. */
  get phase(): ProxyPhase {
    return this.#phase;
  }

  /** Goes on. */
  set phase(phase: ProxyPhase) {
    this.#phase = phase;
    if (phase === "reply") this.#asked?.();
  }

  /** The way to the proxy, within what a method put around it. */
  get connection(): Connection & Duplex {
    return this.#connection;
  }

  /** What a method talks over. */
  get channel(): MethodChannel {
    return this.#channel;
  }

  /** Goes on within what a method put around the bytes. */
  encapsulate(encapsulation: Encapsulation): void {
    if (encapsulation.duplex === undefined && encapsulation.datagrams === undefined) return;
    this.#connection = new Encapsulated(this.#connection, encapsulation);
    this.#channel = new Channel(this.#connection);
  }

  /** Writes messages, as one. */
  async write(...messages: readonly Uint8Array[]): Promise<void> {
    await this.#channel.write(messages.length === 1 ? messages[0]! : joined(messages));
  }

  /** Reads a message; see {@linkcode Channel.read}. */
  read<T>(decode: Decoder<T>, limit: number): Promise<T> {
    return this.#channel.read(decode, limit);
  }

  /** What came after the last message. Good until the next read. */
  takeRest(): Uint8Array {
    return this.#channel.takeRest();
  }

  /** What the proxy did that ends the talk. */
  fault(code: NetErrorCode, problem: string, options?: ProxyErrorOptions): ProxyError {
    return new ProxyError(this, code, problem, options);
  }

  /** What a reply says that is a no. */
  refusal(reply: number): ProxyError {
    return replyError(reply, this);
  }
}

function joined(messages: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(messages.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const message of messages) {
    bytes.set(message, at);
    at += message.length;
  }
  return bytes;
}
