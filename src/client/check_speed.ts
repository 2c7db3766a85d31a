/**
 * How fast a proxy is.
 *
 * @module
 */

import type { CheckBench } from "./check_bench.ts";
import { BLOCK, Wish } from "./check_target.ts";
import { withSignal } from "./dial_through.ts";

/** How fast a proxy is. */
export interface Speed {
  /** The median time to connect to a target through it, in milliseconds. */
  readonly connect: number;
  /** The median time that a byte takes to the target and back, in milliseconds; absent with a target of others. */
  readonly roundTrip?: number | undefined;
  /** Bytes a second to the target; absent with a target of others. */
  readonly up?: number | undefined;
  /** Bytes a second from the target; absent with a target of others. */
  readonly down?: number | undefined;
}

/** Bounds of the measuring. */
export interface SpeedBounds {
  /** How many connections, and how many round trips. */
  readonly rounds: number;
  /** The most that goes each way, in bytes; whole MiB. */
  readonly bytes: number;
  /** The longest that bytes go each way, in milliseconds. */
  readonly time: number;
}

/** Measures. What does not end in time is cut short, and what was seen by then counts. */
export async function measure(bench: CheckBench, bounds: SpeedBounds): Promise<Speed> {
  const connects: number[] = [];
  for (let i = 0; i < bounds.rounds; i++) {
    const begun = bench.now();
    const end = await bench.open();
    connects.push(bench.now() - begun);
    end.close();
  }
  const connect = median(connects);
  if (bench.place.ours === undefined) return { connect };
  return {
    connect,
    roundTrip: await roundTrip(bench, bounds),
    up: await upload(bench, bounds),
    down: await download(bench, bounds),
  };
}

async function roundTrip(bench: CheckBench, { rounds }: SpeedBounds): Promise<number> {
  const end = await bench.open();
  const byte = Uint8Array.of(Wish.ECHO);
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const begun = bench.now();
    await end.write(byte);
    if (await end.read() === null) throw new Error("the connection ends");
    times.push(bench.now() - begun);
  }
  end.close();
  return median(times);
}

/** Blocks go out until the time is over; those that were answered count. */
async function upload(bench: CheckBench, { bytes, time }: SpeedBounds): Promise<number> {
  const end = await bench.open();
  await end.write(Uint8Array.of(Wish.SINK));
  const blocks = Math.max(1, Math.floor(bytes / BLOCK));
  const block = new Uint8Array(BLOCK);
  const begun = bench.now();
  let sent = 0, answered = 0;
  const sending = (async () => {
    while (sent < blocks && (sent === 0 || bench.now() - begun < time)) {
      sent++;
      await end.write(block);
    }
  })();
  sending.catch(() => {});
  await withSignal(
    (async () => {
      const first = end.read();
      await sending;
      for (let chunk = await first; chunk !== null; chunk = await end.read()) {
        answered += chunk.length;
        if (answered >= sent) return;
      }
      throw new Error("the connection ends");
    })(),
    bench.signal,
  );
  const rate = answered * BLOCK * 1000 / Math.max(1, bench.now() - begun);
  end.close();
  return rate;
}

async function download(bench: CheckBench, { bytes, time }: SpeedBounds): Promise<number> {
  const end = await bench.open();
  const blocks = Math.min(255, Math.max(1, Math.floor(bytes / BLOCK)));
  await end.write(Uint8Array.of(Wish.SOURCE, blocks));
  const begun = bench.now();
  let length = 0;
  while (length < blocks * BLOCK && (length === 0 || bench.now() - begun < time)) {
    const chunk = await end.read();
    if (chunk === null) break;
    length += chunk.length;
  }
  const rate = length * 1000 / Math.max(1, bench.now() - begun);
  end.close(new Error("enough"));
  return rate;
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
