import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { connectionPair, memory } from "../../src/runtime/memory.ts";
import { connectionSuite } from "./_connection_suite.ts";
import { datagramSuite } from "./_datagram_suite.ts";
import { assertNetError, bytesOf, readPattern, sendPattern } from "./_support.ts";

connectionSuite(memory());
datagramSuite(memory());

test("memory: however bytes are split, the same arrive", async () => {
  const split = (bytes: Uint8Array): Uint8Array[] => Array.from(bytes, (byte) => Uint8Array.of(byte));
  const [here, there] = connectionPair({ capacity: 7, split });
  const sent = sendPattern(here, 5_000, 100).then(() => here.closeWrite());
  assertEquals(await readPattern(there), 5_000);
  await sent;
});

test("memory: a pair holds no more than its capacity and what is read ahead", async () => {
  const [here, there] = connectionPair({ capacity: 4 });
  const written = here.write(bytesOf("abcdefgh"));
  assertEquals(written === undefined, false);
  assertEquals((await there.read())?.length, 4);
  assertEquals((await there.read())?.length, 4);
  await written;
});

test("memory: names resolve by its table of hosts", async () => {
  const network = memory({ hosts: { "example.com": ["192.0.2.1", "2001:db8::1"] } });
  assertEquals(await network.lookup("EXAMPLE.com"), ["192.0.2.1", "2001:db8::1"]);
  assertEquals(await network.lookup("192.0.2.7"), ["192.0.2.7"]);
  await assertNetError(network.lookup("example.net"), "name-not-found");
  await assertNetError(network.lookup("constructor"), "name-not-found");
});
