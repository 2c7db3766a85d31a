/** The native relay. */

import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import { NetError } from "../../src/net/errors.ts";
import type { Connection, Meter, Pace, RelayMeter, Runtime } from "../../src/runtime/runtime.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import {
  assertEnd,
  assertNetError,
  bytesOf,
  inTime,
  NOTHING,
  pattern,
  readExactly,
  readPattern,
  sendPattern,
  textOf,
  turns,
  until,
  withPair,
  withRelay,
  writeUntilPending,
} from "./_support.ts";

export function relaySuite(runtime: Runtime): void {
  function relay(
    client: Connection,
    target: Connection,
    early = NOTHING,
    pace?: Pace,
  ): { done: Promise<void>; meter: Meter } {
    let meter!: RelayMeter;
    const done = new Promise<void>((resolve, reject) => {
      const relayed: RelayMeter["relayed"] = (error) => {
        // As a session does.
        client.close();
        target.close();
        error === undefined ? resolve() : reject(error);
      };
      meter = { sent: 0, received: 0, relayed };
    });
    done.catch(() => {});
    assert(runtime.relay!({ client, target, early, meter, pace }));
    return { done, meter };
  }

  describe(`${runtime.name}: the native relay`, () => {
    test("sends early bytes first and meters them", () =>
      withRelay(runtime, async ({ client, target, inner, outer }) => {
        await client.write(bytesOf(" and more"));
        const { done, meter } = relay(inner, outer, bytesOf("early"));
        assertEquals(textOf(await readExactly(target, 14)), "early and more");
        await target.write(bytesOf("answer"));
        assertEquals(textOf(await readExactly(client, 6)), "answer");
        client.closeWrite();
        await assertEnd(target);
        target.closeWrite();
        await assertEnd(client);
        await inTime(done, "the relay");
        assertEquals([meter.sent, meter.received], [14, 6]);
      }));

    test("takes what was read ahead", () =>
      withRelay(runtime, async ({ client, target, inner, outer }) => {
        await client.write(bytesOf("up"));
        await target.write(bytesOf("down"));
        await turns();
        const { done, meter } = relay(inner, outer);
        assertEquals(textOf(await readExactly(target, 2)), "up");
        assertEquals(textOf(await readExactly(client, 4)), "down");
        client.closeWrite();
        target.closeWrite();
        await inTime(done, "the relay");
        assertEquals([meter.sent, meter.received], [2, 4]);
      }));

    test("takes what was given back", () =>
      withRelay(runtime, async ({ client, target, inner, outer }) => {
        await target.write(bytesOf("reply and more"));
        const read = await readExactly(duplexOf(outer), 14);
        duplexOf(outer).giveBack!(read.subarray(5));
        const { done, meter } = relay(inner, outer);
        assertEquals(textOf(await readExactly(client, 9)), " and more");
        client.closeWrite();
        target.closeWrite();
        await inTime(done, "the relay");
        assertEquals([meter.sent, meter.received], [0, 9]);
      }));

    test("carries 8 MiB up and, after the client's end, 1 MiB back", () =>
      withRelay(runtime, async ({ client, target, inner, outer }) => {
        const { done, meter } = relay(inner, outer);
        let halves = 0;
        meter.halfClosed = () => void halves++;
        const sent = sendPattern(client, 8 << 20).then(() => client.closeWrite());
        assertEquals(await readPattern(target), 8 << 20);
        await sent;
        assertEquals(halves, 1);
        const answered = sendPattern(target, 1 << 20).then(() => target.closeWrite());
        assertEquals(await readPattern(client), 1 << 20);
        await answered;
        await inTime(done, "the relay");
        assertEquals([meter.sent, meter.received, halves], [8 << 20, 1 << 20, 1]);
        await inTime(Promise.all([inner.closed, outer.closed]), "closed");
      }));

    test("carries 16 MiB each way at once", () =>
      withRelay(runtime, async ({ client, target, inner, outer }) => {
        const { done, meter } = relay(inner, outer);
        const total = 16 << 20;
        const [up, down] = await Promise.all([
          readPattern(target),
          readPattern(client),
          sendPattern(client, total, 900_000).then(() => client.closeWrite()),
          sendPattern(target, total, 1_000_000).then(() => target.closeWrite()),
        ]);
        await inTime(done, "the relay");
        assertEquals([up, down, meter.sent, meter.received], [total, total, total, total]);
      }));

    test("waits for a slow reader, and loses nothing", () =>
      withRelay(runtime, async ({ client, target, inner, outer }) => {
        const { done, meter } = relay(inner, outer);
        // As a SOCKS client has: Deno takes the half-close of a peer that never sent a byte for a broken connection.
        await client.write(bytesOf("x"));
        await readExactly(target, 1);
        const { pending, written } = await writeUntilPending(target);
        assert(written < 128 << 20, `${written} bytes went into the buffers`);
        target.closeWrite();
        client.closeWrite();
        let reads = 0;
        assertEquals(await readPattern(client, () => ++reads % 8 === 0 ? turns(1) : Promise.resolve()), written);
        await inTime(pending, "the write");
        await assertEnd(target);
        await inTime(done, "the relay");
        assertEquals(meter.received, written);
      }));

    test("keeps a pace both ways, and loses nothing", () =>
      withRelay(runtime, async ({ client, target, inner, outer }) => {
        const pace = new SlicePace([1, 100, 7_000, 65_536, 200_000, 3]);
        const { done, meter } = relay(inner, outer, bytesOf("early"), pace);
        assertEquals(textOf(await readExactly(target, 5)), "early");
        const total = 4 << 20;
        const [up, down] = await Promise.all([
          readPattern(target),
          readPattern(client),
          sendPattern(client, total, 900_000).then(() => client.closeWrite()),
          sendPattern(target, total, 1_000_000).then(() => target.closeWrite()),
        ]);
        await inTime(done, "the relay");
        assertEquals([up, down, meter.sent, meter.received], [total, total, total + 5, total]);
        assert(pace.waits > 100, `${pace.waits} waits`);
      }));

    test("passes an end on after what the pace held back", () =>
      withRelay(runtime, async ({ client, target, inner, outer }) => {
        const pace = new HeldPace();
        const { done, meter } = relay(inner, outer, bytesOf("early"), pace);
        await client.write(bytesOf(" and more"));
        client.closeWrite();
        await until(() => pace.held.length === 1, "the wait");
        assertEquals(meter.sent, 0);
        pace.release();
        assertEquals(textOf(await readExactly(target, 14)), "early and more");
        await assertEnd(target);
        target.closeWrite();
        await inTime(done, "the relay");
      }));

    test("ends with its connections, whatever the pace holds back", () =>
      withRelay(runtime, async ({ client, inner, outer }) => {
        const pace = new HeldPace();
        const { done } = relay(inner, outer, bytesOf("early"), pace);
        await until(() => pace.held.length === 1, "the wait");
        client.close(new Error("enough"));
        outer.close();
        await assertNetError(done, "reset", "closed");
        pace.release();
      }));

    test("passes the client's reset on", () =>
      withRelay(runtime, async ({ client, target, inner, outer }) => {
        const { done } = relay(inner, outer);
        await client.write(bytesOf("x"));
        await readExactly(target, 1);
        client.close(new Error("enough"));
        await assertNetError(done, "reset");
        await assertNetError(target.read(), "reset");
      }));

    test("passes the target's reset on", () =>
      withRelay(runtime, async ({ client, target, inner, outer }) => {
        const { done } = relay(inner, outer);
        await client.write(bytesOf("x"));
        await readExactly(target, 1);
        target.close(new Error("enough"));
        await assertNetError(done, "reset");
        await assertNetError(client.read(), "reset");
      }));

    test("ends when a connection is closed from outside, with its error", () =>
      withRelay(runtime, async ({ client, target, inner, outer }) => {
        const { done } = relay(inner, outer);
        await client.write(bytesOf("x"));
        await readExactly(target, 1);
        inner.close(new NetError("timeout", "Cannot go on: idle for too long"));
        await assertNetError(done, "timeout");
        await assertNetError(client.read(), "reset");
        await assertNetError(target.read(), "reset");
        await inTime(Promise.all([inner.closed, outer.closed]), "closed");
      }));

    test("ends when a connection is closed from outside, without one", () =>
      withRelay(runtime, async ({ client, target, inner, outer }) => {
        const { done } = relay(inner, outer);
        outer.close();
        await assertNetError(done, "closed");
        await assertEnd(client);
        await assertEnd(target);
        await inTime(Promise.all([inner.closed, outer.closed]), "closed");
      }));

    test("ends when it is closed while a reader stalls", () =>
      withRelay(runtime, async ({ client, target, inner, outer }) => {
        const { done } = relay(inner, outer);
        const { pending } = await writeUntilPending(target);
        pending.catch(() => {});
        inner.close(new NetError("timeout", "Cannot go on: idle for too long"));
        await assertNetError(done, "timeout");
        await inTime(Promise.all([inner.closed, outer.closed]), "closed");
        // Some systems' loops report a reset that follows data as the end.
        while (await inTime(client.read(), "the end").catch(() => null) !== null);
      }));

    test("leaves a connection alone whose streams are in use", () =>
      withPair(runtime, ({ client, server }) => {
        const reader = server.readable.getReader();
        const meter: RelayMeter = { sent: 0, received: 0, relayed: () => {} };
        assertEquals(runtime.relay!({ client: server, target: client, early: NOTHING, meter }), false);
        reader.releaseLock();
        return Promise.resolve();
      }));

    test("two hundred at once keep their bytes apart", () => {
      const one = (i: number): Promise<void> =>
        withRelay(runtime, async ({ client, target, inner, outer }) => {
          const { done, meter } = relay(inner, outer);
          const total = 30_000 + i * 701;
          const echo = (async () => {
            for (let bytes = await target.read(); bytes !== null; bytes = await target.read()) {
              await target.write(bytes.slice());
            }
            target.closeWrite();
          })();
          const sent = (async () => {
            for (let at = 0; at < total;) {
              const length = Math.min(total - at, 1 + Math.floor(Math.random() * 9_000));
              await client.write(pattern(at + i * 31, length).slice());
              at += length;
            }
            client.closeWrite();
          })();
          let got = 0;
          for (let bytes = await client.read(); bytes !== null; bytes = await client.read()) {
            const expected = pattern(got + i * 31, bytes.length);
            for (let k = 0; k < bytes.length; k++) if (bytes[k] !== expected[k]) throw new Error(`Stream ${i} is torn`);
            got += bytes.length;
          }
          await Promise.all([echo, sent, inTime(done, "the relay")]);
          assertEquals([got, meter.sent, meter.received], [total, total, total]);
        });
      return inTime(Promise.all(Array.from({ length: 200 }, (_, i) => one(i))).then(() => {}), "200 relays");
    });

    test("takes connections that have a read behind them", () =>
      withRelay(runtime, async ({ client, target, inner, outer }) => {
        const handshake = duplexOf(inner);
        await client.write(bytesOf("hello"));
        assertEquals(textOf(await readExactly(handshake, 5)), "hello");
        await handshake.write(bytesOf("welcome"));
        const { done, meter } = relay(inner, outer);
        assertEquals(textOf(await readExactly(client, 7)), "welcome");
        await client.write(bytesOf("data"));
        assertEquals(textOf(await readExactly(target, 4)), "data");
        client.closeWrite();
        target.closeWrite();
        await inTime(done, "the relay");
        assertEquals([meter.sent, meter.received], [4, 0]);
      }));
  });
}

/** Lets go slices of these lengths in turn, and nothing in between. */
class SlicePace implements Pace {
  waits = 0;
  readonly #slices: readonly number[];
  #next = 0;
  #open = true;

  constructor(slices: readonly number[]) {
    this.#slices = slices;
  }

  take(wanted: number): number {
    if (!this.#open) return 0;
    this.#open = false;
    return Math.min(wanted, this.#slices[this.#next++ % this.#slices.length]!);
  }

  takeAll(): boolean {
    return true;
  }

  wait(_up: boolean, callback: () => void): void {
    this.waits++;
    setTimeout(() => {
      this.#open = true;
      callback();
    }, 0);
  }
}

/** Lets nothing go until it is told to. */
class HeldPace implements Pace {
  readonly held: (() => void)[] = [];
  #open = false;

  take(wanted: number): number {
    return this.#open ? wanted : 0;
  }

  takeAll(): boolean {
    return this.#open;
  }

  wait(_up: boolean, callback: () => void): void {
    this.held.push(callback);
  }

  release(): void {
    this.#open = true;
    for (const callback of this.held.splice(0)) callback();
  }
}
