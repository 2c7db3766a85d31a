import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import { connectionPair } from "../../src/runtime/memory.ts";
import type { Connection } from "../../src/runtime/runtime.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import {
  assertEnd,
  assertNetError,
  bytesOf,
  inTime,
  readExactly,
  readPattern,
  sendPattern,
  textOf,
} from "../runtime/_support.ts";

/** A connection that has its streams alone. */
function bare(connection: Connection): Connection {
  const { readable, writable, closed } = connection;
  return { readable, writable, closed, close: (reason) => connection.close(reason) };
}

test("a connection with calls of its own is its own duplex", () => {
  const [here] = connectionPair();
  assertEquals(duplexOf(here) === here, true);
});

test("calls over streams over calls carry both directions and both ends", async () => {
  const [client, server] = connectionPair();
  const [here, there] = [duplexOf(bare(client)), duplexOf(bare(server))];
  const sent = sendPattern(here, 300_000).then(() => here.closeWrite());
  assertEquals(await readPattern(there), 300_000);
  await sent;
  await there.write(bytesOf("still open"));
  assertEquals(textOf(await readExactly(here, 10)), "still open");
  there.closeWrite();
  await assertEnd(here);
  await inTime(Promise.all([client.closed, server.closed]), "closed");
});

test("calls over streams hold a writer back", async () => {
  const [client, server] = connectionPair({ capacity: 10 });
  const here = duplexOf(bare(client));
  let done = false;
  const written = Promise.resolve(here.write(new Uint8Array(100))).then(() => done = true);
  assertEquals(textOf(await readExactly(server, 10)).length, 10);
  assert(!done);
  await readExactly(server, 90);
  await written;
});

test("closing with an error resets through the streams", async () => {
  const [client, server] = connectionPair();
  const here = duplexOf(bare(client));
  const reading = here.read();
  here.close(new Error("enough"));
  await assertNetError(reading, "closed");
  await assertNetError(server.read(), "reset");
});

test("a byob reader gets its own buffer filled, and what is left later", async () => {
  const [client, server] = connectionPair();
  client.write(bytesOf("abcdefg"));
  client.closeWrite();
  const reader = server.readable.getReader({ mode: "byob" });
  let text = "";
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(3));
    if (done) break;
    assert(value.length <= 3);
    text += textOf(value);
  }
  assertEquals(text, "abcdefg");
});

test("a readable that nobody reads does not read", async () => {
  const [client, server] = connectionPair({ capacity: 10 });
  const readable = server.readable;
  const write = client.write(new Uint8Array(50));
  let done = false;
  write?.then(() => done = true);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert(!done);
  assertEquals((await readable.getReader().read()).value?.length, 10);
});

test("what a stream gave stays as it was when the next chunk comes", async () => {
  const [client, server] = connectionPair();
  const reader = server.readable.getReader();
  client.write(bytesOf("first"));
  const first = (await reader.read()).value;
  client.write(bytesOf("other"));
  await reader.read();
  assertEquals(textOf(first ?? null), "first");
});
