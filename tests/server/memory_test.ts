import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { targetOf } from "../../src/protocol/address.ts";
import { encodeDatagram } from "../../src/protocol/udp.ts";
import { memory } from "../../src/runtime/memory.ts";
import type { Connection, Runtime } from "../../src/runtime/runtime.ts";
import { serve } from "../../src/server/server.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import { Recorder, soon } from "./_harness.ts";

const HERE = { ip: "127.0.0.1", port: 1080 };
const TARGET = { ip: "127.0.0.1", port: 80 };
const text = (value: string) => Array.from(new TextEncoder().encode(value));

/** A target that gives back what it gets, and ends when the other side does. */
async function echo(network: Runtime): Promise<{ close(): void }> {
  const listener = await network.listen({ address: TARGET });
  const answer = async (connection: Connection) => {
    const wire = duplexOf(connection);
    try {
      for (let chunk = await wire.read(); chunk !== null; chunk = await wire.read()) await wire.write(chunk.slice());
      wire.closeWrite();
    } catch {
      // The relay has let go.
    }
  };
  void (async () => {
    for await (const connection of listener) void answer(connection);
  })();
  return listener;
}

/** Sends everything, then the end, and reads everything, up to the end. */
async function exchange(network: Runtime, bytes: readonly number[]): Promise<number[]> {
  const wire = duplexOf(await network.connect(HERE));
  const sending = (async () => {
    await wire.write(Uint8Array.from(bytes));
    wire.closeWrite();
  })();
  const got: number[] = [];
  for (let chunk = await soon(wire.read()); chunk !== null; chunk = await soon(wire.read())) {
    for (const byte of chunk) got.push(byte);
  }
  await soon(sending);
  return got;
}

test("client, server and target may share a network in memory, however it cuts what they say", async () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 10 });
  const payload = fc.uint8Array({ maxLength: 500 });
  const greetings = fc.constantFrom(
    [5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, 0, 80],
    [5, 1, 0, 5, 1, 0, 3, 9, ...text("localhost"), 0, 80],
    [4, 1, 0, 80, 127, 0, 0, 1, 0],
    [4, 1, 0, 80, 0, 0, 0, 1, 0, ...text("localhost"), 0],
  );
  await fc.assert(
    fc.asyncProperty(
      sizes,
      payload,
      greetings,
      fc.integer({ min: 1, max: 4000 }),
      async (sizes, payload, said, capacity) => {
        let turn = 0;
        const network = memory({
          capacity,
          *split(bytes) {
            for (let at = 0; at < bytes.length;) {
              const size = sizes[turn++ % sizes.length]!;
              yield bytes.subarray(at, at + size);
              at += size;
            }
          },
        });
        const target = await echo(network);
        const seen = new Recorder();
        const server = await serve({ runtime: network, observer: seen });
        const answer = await exchange(network, [...said, ...payload]);
        const { cause, sent, received } = await seen.summary();
        assertEquals({ cause, sent, received }, { cause: "finished", sent: payload.length, received: payload.length });
        assertEquals(answer.slice(said[0] === 5 ? 12 : 8), Array.from(payload));
        await soon(server.close());
        target.close();
      },
    ),
    { numRuns: 50 },
  );
});

test("datagrams are relayed in memory, too", async () => {
  const network = memory();
  const server = await serve({ runtime: network });
  const control = duplexOf(await network.connect(HERE));
  await control.write(Uint8Array.of(5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0));
  const reply: number[] = [];
  while (reply.length < 12) reply.push(...(await soon(control.read()))!);
  const relay = { ip: reply.slice(6, 10).join("."), port: reply[10]! << 8 | reply[11]! };
  const dns = await network.bindDatagram({
    address: { ip: "127.0.0.1", port: 53 },
    onDatagram: (bytes, ip, port) => dns.send(bytes, ip, port),
  });
  let take = (_bytes: Uint8Array): void => {};
  const answer = new Promise<Uint8Array>((resolve) => take = resolve);
  const client = await network.bindDatagram({
    address: { ip: "127.0.0.1", port: 0 },
    onDatagram: (bytes) => take(bytes),
  });
  const datagram = encodeDatagram({
    fragment: 0,
    target: targetOf("127.0.0.1", 53),
    data: Uint8Array.from(text("query")),
  });
  client.send(datagram, relay.ip, relay.port);
  assertEquals(await soon(answer), datagram);
  await soon(server.close());
});
