import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { test } from "node:test";
import { arpaName } from "../../src/net/arpa.ts";
import { NetError } from "../../src/net/errors.ts";
import { currentRuntime } from "../../src/runtime/detect.ts";
import { memory } from "../../src/runtime/memory.ts";
import { dnsServer } from "./_dns_server.ts";
import { assertNetError } from "./_support.ts";

const runtime = await currentRuntime();

test("the system knows the name of this machine's loopback address", async () => {
  const [name, ...rest] = await runtime.reverseLookup!("127.0.0.1");
  assert(/^[\w.-]+$/.test(name!), name);
  assertEquals(rest, []);
});

test("a lookup that is called off ends with its reason", async () => {
  const reason = new NetError("closed", "nobody waits");
  const error = await runtime.reverseLookup!("127.0.0.1", { signal: AbortSignal.abort(reason) }).catch((e) => e);
  assertStrictEquals(error, reason);
});

test("a name server is asked for the names of an address", async () => {
  await using server = await dnsServer();
  server.set(arpaName("192.0.2.7"), ["PTR", "www.test", 60], ["PTR", "www2.test", 60]);
  server.set(arpaName("2001:db8::7"), ["PTR", "six.test", 60]);
  const ask = (ip: string) => runtime.reverseQuery!(ip, server.address, { timeout: 20_000 });
  assertEquals(await ask("192.0.2.7"), ["www.test", "www2.test"]);
  assertEquals(await ask("2001:db8::7"), ["six.test"]);
  await assertNetError(ask("192.0.2.8"), "name-not-found");
  assertEquals(server.asked[0], "7.2.0.192.in-addr.arpa PTR");
});

test("a name server that does not answer is given up", async () => {
  await using server = await dnsServer();
  server.zone.set(arpaName("192.0.2.7"), "silence");
  await assertNetError(runtime.reverseQuery!("192.0.2.7", server.address, { timeout: 50 }), "timeout");
});

test("a network in memory knows the names of its addresses", async () => {
  const network = memory({ hosts: { "a.test": ["192.0.2.1"], "b.test": ["192.0.2.1", "192.0.2.2"] } });
  assertEquals(await network.reverseLookup!("192.0.2.1"), ["a.test", "b.test"]);
  await assertNetError(network.reverseLookup!("192.0.2.3"), "name-not-found");
});
