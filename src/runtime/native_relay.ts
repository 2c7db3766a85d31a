/**
 * The relay beneath the streams, for any runtime whose sockets call back: what one socket reads is written to the
 * other in the same turn, while it is in the cache, and nothing is allocated per chunk but the view of it.
 *
 * @module
 */

import type { NetError } from "../net/errors.ts";
import type { Pace, RelayJob, RelayMeter } from "./runtime.ts";

/** What a relay is told about one of its connections. */
export interface Tap {
  /** Whether it may keep bytes that it did not write, so that their memory must be theirs. */
  readonly isPaced: boolean;
  /**
   * Bytes came. They stay as they are until {@linkcode RelayEnd.resume}, or until the next call where this one
   * returned `true`. `false` stops reading.
   */
  onRead(bytes: Uint8Array): boolean;
  /** Everything written has gone out. */
  onDrain(): void;
  /** The peer has half-closed. */
  onEnd(): void;
  /** The connection is gone; without an error when both directions have ended well. */
  onClose(error: NetError | undefined): void;
}

/** What a relay asks of a connection. */
export interface RelayEnd {
  /** Whether nobody reads from it: neither a reader, its streams nor another relay. */
  readonly takeable: boolean;
  /** Hands its events to a tap. What was read ahead comes back. */
  take(tap: Tap): Uint8Array;
  /** Tells the tap what happened before it came. */
  catchUp(): void;
  /** Writes, and says whether the kernel has all of it; otherwise `onDrain` follows. */
  push(bytes: Uint8Array): boolean;
  /** Goes on reading. */
  resume(): void;
  /** Half-closes once what was written has gone out. */
  closeWrite(): void;
  /** Closes; with an error it resets. */
  close(reason?: unknown): void;
}

/**
 * Relays between two connections until both directions have ended.
 *
 * @returns Whether it does: `false` when one of them is in use already.
 */
export function relayNatively(client: RelayEnd, target: RelayEnd, job: RelayJob): boolean {
  if (!client.takeable || !target.takeable) return false;
  const relay = new Relay(job);
  const up = new Flow(relay, client, target, true);
  const down = new Flow(relay, target, client, false);
  up.reverse = down;
  down.reverse = up;
  const fromClient = client.take(up);
  const fromTarget = target.take(down);
  up.start(job.early, fromClient);
  down.start(fromTarget);
  client.catchUp();
  target.catchUp();
  return true;
}

/** What the two directions share. */
class Relay {
  readonly meter: RelayMeter;
  readonly pace: Pace | undefined;
  over = false;
  #ended = 0;
  #closed = 0;

  constructor(job: RelayJob) {
    this.meter = job.meter;
    this.pace = job.pace;
  }

  ended(): void {
    if (++this.#ended === 1) this.meter.halfClosed?.();
  }

  closed(): void {
    if (++this.#closed < 2 || this.over) return;
    this.over = true;
    this.meter.relayed();
  }
}

/** One direction. It is the tap of its source. */
class Flow implements Tap {
  reverse!: Flow;
  readonly #relay: Relay;
  readonly #source: RelayEnd;
  readonly #sink: RelayEnd;
  readonly #up: boolean;
  #stalled = false;
  /** What the pace did not let go yet. */
  #rest: Uint8Array = NOTHING;
  #endsAfterRest = false;

  constructor(relay: Relay, source: RelayEnd, sink: RelayEnd, up: boolean) {
    this.#relay = relay;
    this.#source = source;
    this.#sink = sink;
    this.#up = up;
  }

  /** Writes what came before the relay did, and begins to read. */
  start(...early: Uint8Array[]): void {
    for (const bytes of early) {
      if (bytes.length > 0) this.onRead(bytes);
    }
    if (!this.#stalled) this.#source.resume();
  }

  onRead(bytes: Uint8Array): boolean {
    const relay = this.#relay;
    if (relay.over) return false;
    if (relay.pace !== undefined) return this.#goAtPace(bytes, relay.pace);
    this.#count(bytes.length);
    if (this.#sink.push(bytes)) return true;
    this.#stalled = true;
    return false;
  }

  get isPaced(): boolean {
    return this.#relay.pace !== undefined;
  }

  onDrain(): void {
    this.reverse.#resume();
  }

  onEnd(): void {
    if (this.#relay.over) return;
    if (this.#rest.length > 0) {
      this.#endsAfterRest = true;
      return;
    }
    this.#sink.closeWrite();
    this.#relay.ended();
  }

  onClose(error: NetError | undefined): void {
    const relay = this.#relay;
    if (relay.over) return;
    if (error === undefined) return relay.closed();
    relay.over = true;
    // A connection lost is passed on as a reset: a mere end would let the other side take what it has for whole. That
    // comes before the word of it, since whoever hears that may close both in good order.
    this.#sink.close(error.code === "closed" ? undefined : error);
    relay.meter.relayed(error);
  }

  #resume(): void {
    if (!this.#stalled || this.#relay.over) return;
    this.#stalled = false;
    if (this.#rest.length > 0) {
      const rest = this.#rest;
      this.#rest = NOTHING;
      if (!this.onRead(rest)) return;
    }
    if (this.#endsAfterRest) this.onEnd();
    else this.#source.resume();
  }

  #count(length: number): void {
    if (this.#up) this.#relay.meter.sent += length;
    else this.#relay.meter.received += length;
  }

  /** Writes what the pace lets go; the rest follows when it lets more go and what was written has gone out. */
  #goAtPace(bytes: Uint8Array, pace: Pace): boolean {
    if (this.#rest.length > 0) { // what was read ahead came in two pieces
      this.#rest = concat(this.#rest, bytes);
      return false;
    }
    const length = pace.take(bytes.length, this.#up);
    this.#count(length);
    const isOut = length === 0 || this.#sink.push(length === bytes.length ? bytes : bytes.subarray(0, length));
    if (isOut && length === bytes.length) return true;
    this.#stalled = true;
    this.#rest = bytes.subarray(length);
    if (isOut) pace.wait(this.#up, () => this.#resume());
    return false;
  }
}

const NOTHING = new Uint8Array(0);

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
