/**
 * Trials: ends, and handshakes in unusual pieces.
 *
 * @module
 */

import { Command } from "../protocol/constants.ts";
import type { Connection, Duplex } from "../runtime/runtime.ts";
import { type CheckBench, spoken } from "./check_bench.ts";
import { carries, restOf, sample } from "./check_carries.ts";
import { NoGood } from "./check_finding.ts";
import type { Trial } from "./check_protocols.ts";
import { Wish } from "./check_target.ts";
import { handshake } from "./handshake.ts";

/** Whether our end reaches the target, while its answer still reaches us. */
export const passesEnd: Trial = async (bench) => {
  oursIn(bench);
  const end = await bench.open();
  await end.write(new Uint8Array(1000).fill(Wish.DIGEST));
  end.closeWrite();
  const answer = await restOf(end);
  if (answer !== "1000\n") throw new NoGood("no", "what the target says after our end is lost");
  return "";
};

/** Whether the target's end reaches us, while we still reach it. */
export const passesEndBack: Trial = async (bench) => {
  const { ours } = oursIn(bench);
  const end = await bench.open();
  const heard = ours.heard();
  await end.write(Uint8Array.of(Wish.GOODBYE));
  if (await restOf(end) !== "goodbye") throw new NoGood("no", "the target's last words are lost");
  // In pieces: the first to a connection that is closed is taken, and the next is not.
  try {
    for (let i = 0; i < 4; i++) {
      await end.write(new Uint8Array(250));
      await pause(PAUSE);
    }
    end.closeWrite();
  } catch {
    throw new NoGood("no", "what we say after the target's end is lost");
  }
  if (await heard !== 1000) throw new NoGood("no", "what we say after the target's end is lost");
  return "";
};

/** Whether a handshake may come byte by byte. */
export const takesPieces: Trial = async (bench) => {
  const protocol = bench.spoken[0];
  if (protocol === undefined) throw new NoGood("skipped", "nothing works");
  const { target } = bench.place;
  const { signal } = bench;
  const slow = new Dribble(await bench.raw());
  const request = { command: Command.CONNECT, target };
  const { connection } = await handshake(slow, spoken(bench.proxy, protocol), request, { signal });
  slow.isSlow = false;
  if (bench.place.ours !== undefined) await carries(connection, sample(), sample());
  return "";
};

/** Whether login, request and payload may come at once, before any answer. */
export const takesAllAtOnce: Trial = async (bench) => {
  const protocol = bench.spoken[0];
  if (protocol === undefined) throw new NoGood("skipped", "nothing works");
  oursIn(bench);
  const end = await bench.dial(protocol, bench.place.target, { optimistic: true, payload: sample() });
  await carries(end, undefined, sample());
  return "";
};

function oursIn({ place, spoken }: CheckBench): { ours: NonNullable<CheckBench["place"]["ours"]> } {
  if (place.ours === undefined) throw new NoGood("skipped", "it takes the target that the check brings with it");
  if (spoken.length === 0) throw new NoGood("skipped", "nothing works");
  return { ours: place.ours };
}

/** Between bytes that are to arrive one by one, in milliseconds. */
const PAUSE = 4;

function pause(time: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, time));
}

/** A connection that sends byte by byte. */
class Dribble implements Connection, Duplex {
  /** Whether it still does. */
  isSlow = true;
  readonly #base: Connection & Duplex;

  constructor(base: Connection & Duplex) {
    this.#base = base;
  }

  get readable(): ReadableStream<Uint8Array> {
    return this.#base.readable;
  }

  get writable(): WritableStream<Uint8Array> {
    return this.#base.writable;
  }

  get closed(): Promise<void> {
    return this.#base.closed;
  }

  read(): Promise<Uint8Array | null> {
    return this.#base.read();
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    return this.isSlow ? this.#dribble(bytes.slice()) : this.#base.write(bytes);
  }

  closeWrite(): void {
    this.#base.closeWrite();
  }

  close(reason?: unknown): void {
    this.#base.close(reason);
  }

  async #dribble(bytes: Uint8Array): Promise<void> {
    for (const byte of bytes) {
      await this.#base.write(Uint8Array.of(byte));
      await pause(PAUSE);
    }
  }
}
