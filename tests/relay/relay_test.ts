import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { NetError } from "../../src/net/errors.ts";
import { relay, relayDuplex, withRead } from "../../src/relay/relay.ts";
import type { Connection, Duplex, Meter, Pace, Runtime } from "../../src/runtime/runtime.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import { eventually, settle, soon } from "../server/_harness.ts";
import { Network } from "../server/_network.ts";
import { pipe, type PipeEnd } from "../server/_pipe.ts";

const NOTHING = new Uint8Array(0);

interface Kind {
  readonly name: string;
  /** The calls that the relay gets for its end of a connection. */
  readonly of: (end: PipeEnd) => Duplex;
}

/** The same relay over a connection's own calls, and over calls made from its streams. */
const KINDS: readonly Kind[] = [
  { name: "calls", of: (end) => end },
  {
    name: "streams",
    of: (end) =>
      duplexOf({ readable: end.readable, writable: end.writable, closed: end.closed, close: (why) => end.close(why) }),
  },
];

interface Scene {
  /** What the client and the target hold. */
  readonly client: PipeEnd;
  readonly target: PipeEnd;
  /** What the relay holds. */
  readonly inner: { readonly client: PipeEnd; readonly target: PipeEnd };
  readonly meter: Meter & { halves: number };
  readonly done: Promise<void>;
}

function relayed({ of }: Kind, early: Uint8Array = NOTHING, capacity = 65_536, pace?: Pace): Scene {
  const [client, innerClient] = pipe({ capacity });
  const [innerTarget, target] = pipe({ capacity });
  const meter = { sent: 0, received: 0, halves: 0, halfClosed: () => void meter.halves++ };
  const done = relayDuplex(of(innerClient), of(innerTarget), { early, meter, pace });
  done.catch(() => {});
  return { client, target, inner: { client: innerClient, target: innerTarget }, meter, done };
}

async function readAll(end: PipeEnd): Promise<Uint8Array> {
  const bytes: number[] = [];
  for (let chunk = await soon(end.read()); chunk !== null; chunk = await soon(end.read())) {
    for (const byte of chunk) bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

async function writeAll(end: PipeEnd, chunks: readonly Uint8Array[]): Promise<void> {
  for (const chunk of chunks) if (chunk.length > 0) await end.write(chunk);
  end.closeWrite();
}

const flat = (chunks: readonly Uint8Array[]) => Uint8Array.from(chunks.flatMap((chunk) => Array.from(chunk)));

for (const kind of KINDS) {
  test(`over ${kind.name}: every byte arrives once and in order, both ways, and is counted`, async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 });
    const early = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(chunks, chunks, early, fc.integer({ min: 0, max: 500 }), async (up, down, early, capacity) => {
        const scene = relayed(kind, early.slice(), capacity);
        const [, , gotUp, gotDown] = await Promise.all([
          writeAll(scene.client, up),
          writeAll(scene.target, down),
          readAll(scene.target),
          readAll(scene.client),
        ]);
        await soon(scene.done);
        assertEquals(gotUp, flat([early, ...up]));
        assertEquals(gotDown, flat(down));
        const { sent, received, halves } = scene.meter;
        assertEquals({ sent, received, halves }, { sent: gotUp.length, received: gotDown.length, halves: 1 });
      }),
      { numRuns: 60 },
    );
  });

  test(`over ${kind.name}: at a pace every byte arrives all the same`, async () => {
    const slices = fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 1, maxLength: 5 })
      .filter((slices) => slices.some((slice) => slice > 0));
    const chunks = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(chunks, chunks, slices, async (up, down, slices) => {
        let next = 0;
        const pace: Pace = {
          take: (wanted) => Math.min(wanted, slices[next++ % slices.length]!),
          takeAll: () => true,
          wait: (_up, callback) => queueMicrotask(callback),
        };
        const scene = relayed(kind, NOTHING, undefined, pace);
        const [, , gotUp, gotDown] = await Promise.all([
          writeAll(scene.client, up),
          writeAll(scene.target, down),
          readAll(scene.target),
          readAll(scene.client),
        ]);
        await soon(scene.done);
        assertEquals([gotUp, gotDown], [flat(up), flat(down)]);
        assertEquals([scene.meter.sent, scene.meter.received], [gotUp.length, gotDown.length]);
      }),
      { numRuns: 40 },
    );
  });

  test(`over ${kind.name}: the client's end is passed on, and the target goes on`, async () => {
    const { client, target, meter, done } = relayed(kind);
    await client.write(Uint8Array.of(1));
    client.closeWrite();
    assertEquals(await readAll(target), Uint8Array.of(1));
    await eventually(() => meter.halves === 1, "the half-close");
    await target.write(new Uint8Array(1000));
    target.closeWrite();
    assertEquals((await readAll(client)).length, 1000);
    await soon(done);
    assertEquals(meter.halves, 1);
  });

  test(`over ${kind.name}: the target's end is passed on, and the client goes on`, async () => {
    const { client, target, meter, done } = relayed(kind);
    target.closeWrite();
    assertEquals(await readAll(client), NOTHING);
    await eventually(() => meter.halves === 1, "the half-close");
    await client.write(new Uint8Array(1000));
    client.closeWrite();
    assertEquals((await readAll(target)).length, 1000);
    await soon(done);
  });

  test(`over ${kind.name}: both connections are closed at the end`, async () => {
    const { client, target, inner, done } = relayed(kind);
    client.closeWrite();
    target.closeWrite();
    await soon(done);
    assertEquals([inner.client.isClosed, inner.target.isClosed], [true, true]);
    assertEquals([inner.client.closeReason, inner.target.closeReason], [undefined, undefined]);
  });

  test(`over ${kind.name}: a reset of the client resets the target`, async () => {
    const { client, target, inner, done } = relayed(kind);
    const reading = target.read();
    client.close(new Error("crash"));
    assertEquals((await assertRejects(() => soon(done), NetError)).code, "reset");
    assertEquals((await assertRejects(() => soon(reading), NetError)).code, "reset");
    assert(inner.target.closeReason instanceof Error);
    assertEquals([inner.client.isClosed, inner.target.isClosed], [true, true]);
  });

  test(`over ${kind.name}: a reset of the target resets the client`, async () => {
    const { client, target, inner, done } = relayed(kind);
    const reading = client.read();
    target.close(new Error("crash"));
    assertEquals((await assertRejects(() => soon(done), NetError)).code, "reset");
    assertEquals((await assertRejects(() => soon(reading), NetError)).code, "reset");
    assert(inner.client.closeReason instanceof Error);
    assertEquals([inner.client.isClosed, inner.target.isClosed], [true, true]);
  });

  test(`over ${kind.name}: a reset in the half-closed phase ends it`, async () => {
    const { client, target, done } = relayed(kind);
    client.closeWrite();
    await readAll(target);
    target.close(new Error("crash"));
    await assertRejects(() => soon(done), NetError);
  });

  test(`over ${kind.name}: who does not read holds the other back, and memory with it`, async () => {
    const { client, target, meter, done } = relayed(kind, NOTHING, 1000);
    let written = 0;
    const writing = (async () => {
      for (; written < 100; written++) await client.write(new Uint8Array(1000));
    })();
    writing.catch(() => {});
    await settle();
    assert(written < 10, `${written} KB written while nobody reads`);
    assert(meter.sent <= 2000, `${meter.sent} counted while nobody reads`);
    for (let got = 0; got < 100_000;) got += (await soon(target.read()))!.length;
    await soon(writing);
    assertEquals(meter.sent, 100_000);
    client.close();
    target.close();
    await soon(done.catch(() => {}));
  });

  test(`over ${kind.name}: a stalled write ends when a connection is closed from outside`, async () => {
    const { client, inner, done } = relayed(kind, NOTHING, 10);
    await client.write(new Uint8Array(5));
    void client.write(new Uint8Array(5000))?.catch(() => {});
    await settle();
    inner.client.close();
    inner.target.close();
    await soon(done.catch(() => {}), "the end of the relay");
  });

  test(`over ${kind.name}: nothing that arrives early is counted before it is written`, async () => {
    const { target, meter, client, done } = relayed(kind, Uint8Array.of(1, 2, 3), 0);
    assertEquals(meter.sent, 0);
    assertEquals(await soon(target.read()), Uint8Array.of(1, 2, 3));
    await eventually(() => meter.sent === 3, "the count");
    client.closeWrite();
    target.closeWrite();
    await soon(done);
  });
}

test("a runtime's fast path is taken where it serves, and only there", async () => {
  const [client, innerClient] = pipe();
  const [innerTarget, target] = pipe();
  let over!: () => void;
  const end = new Promise<void>((resolve) => over = resolve);
  const meter = { sent: 0, received: 0, relayed: over };
  const job = { client: innerClient, target: innerTarget, early: NOTHING, meter };
  const asked: unknown[] = [];
  const runtime = (serves: boolean): Runtime =>
    Object.assign(new Network(), {
      relay: (job: unknown) => (asked.push(job), serves),
    });
  relay(job, runtime(true));
  assertStrictEquals(asked[0], job);
  assertEquals(innerClient.isClosed, false); // the fast path has done nothing
  client.closeWrite();
  target.closeWrite();
  relay(job, runtime(false));
  await soon(end);
  assertEquals(asked.length, 2);
  assertEquals(innerClient.isClosed, true);
});

test("a connection whose reads go another way keeps everything else", async () => {
  const address = { ip: "192.0.2.1", port: 1 };
  const [outer, inner] = pipe({ b: address });
  const chunks = [Uint8Array.of(9), null];
  const other: Connection & Duplex = withRead(inner, () => Promise.resolve(chunks.shift()!));
  assertEquals(await other.read(), Uint8Array.of(9));
  assertEquals(await other.read(), null);
  assertEquals(other.local, address);
  await other.write(Uint8Array.of(1));
  assertEquals(await outer.read(), Uint8Array.of(1));
  other.closeWrite();
  assertEquals(await outer.read(), null);
  other.close();
  assertEquals(inner.isClosed, true);
});
