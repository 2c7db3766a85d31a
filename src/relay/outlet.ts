/**
 * Datagrams of one association that somebody else sends on.
 *
 * @module
 */

import type { Target } from "../protocol/address.ts";
import { encodeDatagramHeader } from "../protocol/udp.ts";
import { remember } from "./remember.ts";

/** Datagrams that wait for the way to be opened; more of them are dropped. */
const MAX_WAITING = 16;
/** How long nothing is tried after the way could not be opened, in milliseconds. */
const PAUSE = 1_000;

/** An open way for datagrams. */
export interface OutletTunnel {
  /** Sends a datagram or loses it. */
  send(data: Uint8Array, to: Target): void;
  /** Fulfilled when it has ended. */
  readonly closed: Promise<void>;
  /** Ends it. Idempotent. */
  close(): void;
}

/** What an outlet needs. */
export interface OutletOptions {
  /** Opens the way; `onDatagram` owns what it is given. */
  readonly open: (onDatagram: (data: Uint8Array, source: Target) => void) => Promise<OutletTunnel>;
  /** Hands a datagram with its header to the client. */
  readonly answer: (header: Uint8Array, data: Uint8Array) => void;
  /** Whether a sender that the client has sent nothing to may reach it. */
  readonly mayAnswer: (sender: Target) => Promise<boolean>;
  /** Senders to remember. */
  readonly maxSenders: number;
  /**
   * Tells the time, in milliseconds, by any steady clock.
   *
   * @default {performance.now}
   */
  readonly now?: (() => number) | undefined;
}

/** Where an association's datagrams to one target go, if that is no address of ours to send to. */
export interface Passage {
  /** Sends a datagram or loses it. */
  send(data: Uint8Array): void;
}

/**
 * A way for the datagrams of one association, opened when the first one is sent, and again after it has ended.
 *
 * What answers for a name that was left to the other end is known there alone: it is taken for who sends from the port
 * that the name was sent to.
 */
export class Outlet {
  readonly #options: OutletOptions;
  readonly #senders = new Map<string, Uint8Array>();
  /** Ports that names were sent to. */
  readonly #ports = new Map<number, true>();
  readonly #waiting: (readonly [data: Uint8Array, to: Target])[] = [];
  #tunnel: OutletTunnel | undefined;
  #lastSource: Target | undefined;
  #lastHeader: Uint8Array = new Uint8Array(0);
  #isOpening = false;
  #isClosed = false;
  #notBefore = -Infinity;
  /** How often everything was forgotten. */
  #generation = 0;

  /** @param options What it needs. */
  constructor(options: OutletOptions) {
    this.#options = options;
  }

  /** The passage to a target, whose answers will be taken. */
  to(target: Target): Passage {
    if (target.type === "name") remember(this.#ports, target.port, true, this.#options.maxSenders);
    this.#know(target);
    return { send: (data) => this.#send(data, target) };
  }

  /** Forgets who may answer. */
  forget(): void {
    this.#generation++;
    this.#senders.clear();
    this.#ports.clear();
    this.#lastSource = undefined;
  }

  /** Ends it. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#waiting.length = 0;
    this.#tunnel?.close();
    this.forget();
  }

  #send(data: Uint8Array, to: Target): void {
    if (this.#tunnel !== undefined) return this.#tunnel.send(data, to);
    if (this.#isClosed) return;
    const { now = () => performance.now() } = this.#options;
    if (!this.#isOpening && now() < this.#notBefore) return;
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push([data, to]);
    if (!this.#isOpening) this.#open(now);
  }

  async #open(now: () => number): Promise<void> {
    this.#isOpening = true;
    try {
      const tunnel = await this.#options.open((data, source) => this.#received(data, source));
      if (this.#isClosed) return tunnel.close();
      this.#tunnel = tunnel;
      tunnel.closed.then(() => {
        this.#tunnel = undefined;
        this.#notBefore = now() + PAUSE;
      });
      for (const [data, to] of this.#waiting.splice(0)) tunnel.send(data, to);
    } catch {
      this.#waiting.length = 0;
      this.#notBefore = now() + PAUSE;
    } finally {
      this.#isOpening = false;
    }
  }

  #received(data: Uint8Array, source: Target): void {
    if (source === this.#lastSource) return this.#options.answer(this.#lastHeader, data);
    const header = this.#senders.get(keyOf(source)) ??
      (source.type !== "name" && this.#ports.has(source.port) ? this.#know(source) : undefined);
    if (header !== undefined) {
      this.#lastSource = source;
      this.#lastHeader = header;
      return this.#options.answer(header, data);
    }
    if (source.type === "name") return; // nobody can be asked about it
    const generation = this.#generation;
    this.#options.mayAnswer(source).then((may) => {
      if (may && this.#generation === generation) this.#options.answer(this.#know(source), data);
    }, () => {});
  }

  #know(sender: Target): Uint8Array {
    const header = encodeDatagramHeader(sender);
    remember(this.#senders, keyOf(sender), header, this.#options.maxSenders);
    return header;
  }
}

function keyOf({ host, port }: Target): string {
  return `${host} ${port}`;
}
