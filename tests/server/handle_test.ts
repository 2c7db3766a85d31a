import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "node:test";
import { NetError } from "../../src/net/errors.ts";
import { handle } from "../../src/server/handle.ts";
import type { HandleOptions } from "../../src/server/options.ts";
import type { StreamPair } from "../../src/runtime/runtime.ts";
import { echo, hex, Recorder, soon } from "./_harness.ts";
import { Network } from "./_network.ts";
import { pipe, streamPipe } from "./_pipe.ts";

const GREETING = [5, 1, 0];
const CONNECT = [5, 1, 0, 1, 93, 184, 216, 34, 0, 80];
const GRANTED = "05 00 05 00 00 01 00 00 00 00 00 00";

/** Reads exactly `count` bytes of a stream, and lets go of it. */
async function readFrom({ readable }: StreamPair, count: number): Promise<Uint8Array> {
  const reader = readable.getReader();
  const bytes: number[] = [];
  while (bytes.length < count) {
    const { value, done } = await soon(reader.read(), `byte ${bytes.length + 1} of ${count}`);
    if (done) break;
    bytes.push(...value);
  }
  reader.releaseLock();
  return Uint8Array.from(bytes);
}

async function writeTo({ writable }: StreamPair, bytes: Iterable<number>): Promise<void> {
  const writer = writable.getWriter();
  await soon(writer.write(Uint8Array.from(bytes)), "writing");
  writer.releaseLock();
}

/** A session over plain streams: the client's end, the target's end and the account. */
function overStreams(options: HandleOptions = {}) {
  const [client, inside] = streamPipe();
  const [outside, target] = streamPipe();
  const session = handle(inside, { runtime: new Network(), dial: () => Promise.resolve(outside), ...options });
  return { client, target, session };
}

test("two plain streams on either side are enough", async () => {
  const { client, target, session } = overStreams();
  await writeTo(client, [...GREETING, ...CONNECT, 1, 2]);
  assertEquals(hex(await readFrom(client, 12)), GRANTED);
  assertEquals(hex(await readFrom(target, 2)), "01 02");
  await writeTo(client, [3]);
  assertEquals(hex(await readFrom(target, 1)), "03");
  await writeTo(target, [4, 5]);
  assertEquals(hex(await readFrom(client, 2)), "04 05");
  await client.writable.close();
  assertEquals(hex(await readFrom(target, 1)), ""); // the end
  await writeTo(target, [6]);
  assertEquals(hex(await readFrom(client, 1)), "06"); // still open that way
  await target.writable.close();
  assertEquals(hex(await readFrom(client, 1)), "");
  const { cause, sent, received, reason } = await soon(session);
  assertEquals({ cause, sent, received, reason }, { cause: "finished", sent: 3, received: 3, reason: undefined });
});

test("a broken target breaks the client's streams", async () => {
  const { client, target, session } = overStreams();
  await writeTo(client, [...GREETING, ...CONNECT]);
  assertEquals(hex(await readFrom(client, 12)), GRANTED);
  await target.writable.abort(new NetError("reset", "The target broke"));
  assertEquals((await soon(session)).cause, "reset");
  await assertRejects(() => soon(client.readable.getReader().read()));
});

test("a broken client breaks the target's streams", async () => {
  const { client, target, session } = overStreams();
  await writeTo(client, [...GREETING, ...CONNECT]);
  assertEquals(hex(await readFrom(client, 12)), GRANTED);
  await client.writable.abort(new NetError("reset", "The client broke"));
  assertEquals((await soon(session)).cause, "reset");
  await assertRejects(() => soon(target.readable.getReader().read()));
});

test("a client on plain streams that says nothing runs out of time", async () => {
  const { client, session } = overStreams({ timeouts: { handshake: 50 } });
  assertEquals((await soon(session)).cause, "timeout");
  await soon(client.readable.getReader().read().catch(() => {}), "the end of the client's stream");
});

test("an idle relay over plain streams runs out of time, and both ends hear of it", async () => {
  const { client, target, session } = overStreams({ timeouts: { idle: 50 } });
  await writeTo(client, [...GREETING, ...CONNECT]);
  assertEquals(hex(await readFrom(client, 12)), GRANTED);
  assertEquals((await soon(session)).cause, "timeout");
  await soon(client.readable.getReader().read().catch(() => {}), "the end of the client's stream");
  await soon(target.readable.getReader().read().catch(() => {}), "the end of the target's stream");
});

test("a relay over plain streams whose client has stopped reading runs out of time", async () => {
  const { client, target, session } = overStreams({ timeouts: { idle: 100 } });
  await writeTo(client, [...GREETING, ...CONNECT]);
  assertEquals(hex(await readFrom(client, 12)), GRANTED);
  const writer = target.writable.getWriter();
  for (let i = 0; i < 10; i++) writer.write(new Uint8Array(1000)).catch(() => {});
  writer.closed.catch(() => {});
  assertEquals((await soon(session)).cause, "timeout");
});

test("a client that does not even read its reply runs out of time", async () => {
  const { client, session } = overStreams({ timeouts: { connect: 100, idle: 100, handshake: 100 } });
  await writeTo(client, GREETING);
  assertEquals(hex(await readFrom(client, 2)), "05 00");
  await writeTo(client, CONNECT); // and no reader for the reply
  assertEquals((await soon(session)).cause, "timeout");
});

test("a client that does not even read its refusal runs out of time", async () => {
  const { client, session } = overStreams({
    timeouts: { connect: 100, handshake: 100 },
    dial: () => new Promise(() => {}),
  });
  await writeTo(client, GREETING);
  assertEquals(hex(await readFrom(client, 2)), "05 00");
  await writeTo(client, CONNECT);
  const { cause } = await soon(session);
  assert(cause === "timeout" || cause === "refused", cause);
});

test("a connection without an address is that of a stranger", async () => {
  const network = new Network();
  echo(network, "127.0.0.1:80");
  const [client, inside] = streamPipe();
  const session = handle(inside, { runtime: network });
  await writeTo(client, [...GREETING, 5, 1, 0, 1, 127, 0, 0, 1, 0, 80]);
  assertEquals(hex(await readFrom(client, 12)), "05 00 05 02 00 01 00 00 00 00 00 00");
  await client.writable.close();
  assertEquals((await soon(session)).cause, "refused");
});

test("a connection with a loopback address is that of this machine", async () => {
  const network = new Network();
  echo(network, "127.0.0.1:80");
  const [client, inside] = pipe({ a: { ip: "127.0.0.1", port: 5 }, b: { ip: "127.0.0.1", port: 1080 } });
  const session = handle(inside, { runtime: network });
  await client.write(Uint8Array.from([...GREETING, 5, 1, 0, 1, 127, 0, 0, 1, 0, 80]));
  client.closeWrite();
  assertEquals((await soon(session)).cause, "finished");
});

test("connections with the same options share numbers and limits", async () => {
  const seen = new Recorder();
  const options: HandleOptions = { observer: seen, runtime: new Network() };
  const sessions = Array.from({ length: 3 }, () => {
    const [client, inside] = streamPipe();
    const session = handle(inside, options);
    client.writable.close().catch(() => {});
    return session;
  });
  for (const session of sessions) assertEquals((await soon(session)).cause, "health-check");
  assertEquals([...new Set(seen.sessions.map(({ id }) => id))].sort(), [1, 2, 3]);
});

test("connections with the same options share numbers though the runtime is looked for", async () => {
  const seen = new Recorder();
  const options: HandleOptions = { observer: seen };
  const sessions = Array.from({ length: 3 }, () => {
    const [client, inside] = streamPipe();
    const session = handle(inside, options);
    client.writable.close().catch(() => {});
    return session;
  });
  for (const session of sessions) assertEquals((await soon(session)).cause, "health-check");
  assertEquals([...new Set(seen.sessions.map(({ id }) => id))].sort(), [1, 2, 3]);
});

test("an option that makes no sense is said before the client is heard", async () => {
  const runtime = new Network();
  const wrong: HandleOptions[] = [
    { runtime, timeouts: { idle: -1 } },
    { runtime, timeouts: { idle: NaN } },
    { runtime, timeouts: { nap: 5 } as never },
    { runtime, bounds: { sessions: "many" as never } },
    { runtime, users: [{ name: "", password: "x" }] },
    { runtime, users: [{ name: "a", password: "x" }, { name: "a", password: "y" }] },
  ];
  for (const options of wrong) {
    const [, inside] = streamPipe();
    await assertRejects(() => handle(inside, options), RangeError);
  }
});

test("a connection whose closed promise rejects, as some platforms' do, harms nobody", async () => {
  const [client, inside] = streamPipe();
  const closed = Promise.reject(new Error("The platform's own way to say that it is closed"));
  closed.catch(() => {}); // it is the platform's to handle; what is derived from it is ours
  const network = new Network();
  echo(network, "93.184.216.34:80");
  const session = handle({ ...inside, closed, close: () => {} }, { runtime: network });
  await writeTo(client, [...GREETING, ...CONNECT]);
  assertEquals(hex(await readFrom(client, 12)).slice(0, 17), "05 00 05 00 00 01");
  await client.writable.close();
  await soon(session);
});
