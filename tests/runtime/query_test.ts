import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { test } from "node:test";
import { NetError } from "../../src/net/errors.ts";
import { currentRuntime } from "../../src/runtime/detect.ts";
import type { AddressRecord, QueryOptions } from "../../src/runtime/runtime.ts";
import { type DnsServer, dnsServer } from "./_dns_server.ts";
import { assertNetError, until } from "./_support.ts";

const runtime = await currentRuntime();
const isDeno = runtime.name === "deno";

function query(server: DnsServer, name: string, version: 4 | 6 = 4, options: Partial<QueryOptions> = {}) {
  return runtime.query!(name, version, server.address, { timeout: 20_000, ...options }) as Promise<AddressRecord[]>;
}

/** A time limit, for what is never answered. */
const SHORT = { timeout: 500 };

test("a name server is asked for the addresses of one version of IP, and says for how long they are good", async () => {
  await using server = await dnsServer();
  server.set("www.test", ["A", "192.0.2.1", 77], ["A", "192.0.2.2", 33], ["AAAA", "2001:db8::1", 55]);
  assertEquals(await query(server, "www.test"), [{ ip: "192.0.2.1", ttl: 77_000 }, { ip: "192.0.2.2", ttl: 33_000 }]);
  assertEquals(await query(server, "www.test", 6), [{ ip: "2001:db8::1", ttl: 55_000 }]);
  assertEquals(server.asked, ["www.test A", "www.test AAAA"]);
});

test("a name server may have an IPv6 address", async () => {
  await using server = await dnsServer("::1");
  server.set("www.test", ["A", "192.0.2.1", 60]);
  assertEquals(await query(server, "www.test"), [{ ip: "192.0.2.1", ttl: 60_000 }]);
});

test("a v4-mapped address is its IPv4 address", async () => {
  await using server = await dnsServer();
  server.zone.set("mapped.test", [{ name: "mapped.test", type: "AAAA", data: "::ffff:127.0.0.1", ttl: 60 }]);
  assertEquals((await query(server, "mapped.test", 6)).map(({ ip }) => ip), ["127.0.0.1"]);
});

test("a chain of aliases leads to addresses, no longer good than its shortest link but on Deno", async () => {
  await using server = await dnsServer();
  server.set("alias.test", ["CNAME", "middle.test", 20], ["CNAME", "end.test", 10], ["A", "192.0.2.1", 77]);
  assertEquals(await query(server, "alias.test"), [{ ip: "192.0.2.1", ttl: isDeno ? 77_000 : 10_000 }]);
});

test("a name without addresses of that version, and one that does not exist, are not found", async () => {
  await using server = await dnsServer();
  server.set("six.test", ["AAAA", "2001:db8::1", 55]);
  await assertNetError(query(server, "six.test"), "name-not-found");
  await assertNetError(query(server, "nobody.test"), "name-not-found");
});

test("a name server that fails or refuses is told from a name that does not exist, but on Deno", async () => {
  assertEquals(runtime.queryBlursFailures ?? false, isDeno);
  await using server = await dnsServer();
  server.zone.set("failing.test", "servfail").set("refused.test", "refused");
  await assertNetError(query(server, "failing.test"), isDeno ? "name-not-found" : "lookup-failed");
  await assertNetError(query(server, "refused.test"), isDeno ? "name-not-found" : "lookup-failed");
});

test("a name server that does not answer is given up", async () => {
  await using server = await dnsServer();
  server.zone.set("silent.test", "silence");
  await assertNetError(query(server, "silent.test", 4, SHORT), "timeout");
  await until(() => server.asked.length > 0, "the question");
  server.set("www.test", ["A", "192.0.2.1", 60]);
  assertEquals((await query(server, "www.test")).length, 1);
});

test("a query is called off, with the reason", async () => {
  await using server = await dnsServer();
  server.zone.set("silent.test", "silence");
  const controller = new AbortController();
  const asking = query(server, "silent.test", 4, { signal: controller.signal });
  asking.catch(() => {});
  await until(() => server.asked.length > 0, "the question");
  const reason = new NetError("aborted", "never mind");
  controller.abort(reason);
  assertStrictEquals(await asking.catch((error) => error), reason);
  await assertNetError(query(server, "silent.test", 4, { signal: controller.signal }), "aborted");
  assertEquals(server.asked.length, 1);
});

test("a query says which name and which server it is about", async () => {
  await using server = await dnsServer();
  server.zone.set("silent.test", "silence");
  const error = await query(server, "silent.test", 4, SHORT).catch((error: Error) => error) as Error;
  assertEquals(error.message, `Cannot look up "silent.test" at "${server.text}": no answer within 0.5 s`);
});

test("the port that a question comes from cannot be foretold", async () => {
  await using server = await dnsServer();
  server.set("www.test", ["A", "192.0.2.1", 60]);
  await Promise.all(Array.from({ length: 20 }, () => query(server, "www.test")));
  assert(new Set(server.ports).size > 15, `${new Set(server.ports).size} ports for 20 questions`);
});

test("many questions at the same time are answered each for itself", async () => {
  await using server = await dnsServer();
  const names = Array.from({ length: 60 }, (_, n) => `n${n}.test`);
  names.forEach((name, n) => server.set(name, ["A", `192.0.2.${n}`, 60]));
  const found = await Promise.all(names.map((name) => query(server, name)));
  assertEquals(found.map(([record]) => record!.ip), names.map((_, n) => `192.0.2.${n}`));
});
