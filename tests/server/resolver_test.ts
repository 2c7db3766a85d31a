import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { test } from "node:test";
import { NetError } from "../../src/net/errors.ts";
import type { RequestInfo } from "../../src/policy/rules.ts";
import { currentRuntime } from "../../src/runtime/detect.ts";
import { memory } from "../../src/runtime/memory.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { resolver, type ResolverOptions } from "../../src/server/resolver.ts";
import { dnsServer, patientWith } from "../runtime/_dns_server.ts";
import { ownLoopback } from "../runtime/_own_loopback.ts";
import { soon } from "./_harness.ts";
import { Network } from "./_network.ts";

const REQUEST = { signal: new AbortController().signal } as Partial<RequestInfo> as RequestInfo;
const real = await currentRuntime();

/** A resolver whose clock the test turns. */
class Scene {
  time = 0;
  readonly resolve: (name: string) => Promise<string>;

  constructor(options: ResolverOptions, runtime: Runtime = real) {
    const resolve = resolver(options, runtime, () => this.time);
    this.resolve = async (name) => {
      try {
        return (await soon(Promise.resolve(resolve(name, REQUEST)))).join(" ");
      } catch (error) {
        assert(error instanceof NetError, String(error));
        return error.code;
      }
    };
  }
}

/** A network whose names are asked for by the system. */
function network(): Network {
  const network = new Network();
  network.names.set("www.example", [["192.0.2.1"], ["192.0.2.2"]]);
  return network;
}

test("without options the system is asked, once in ten seconds for each name", async () => {
  const system = network();
  const { resolve } = new Scene({}, system);
  for (const name of ["www.example", "WWW.Example", "www.example."]) assertEquals(await resolve(name), "192.0.2.1");
  assertEquals(system.lookups, ["www.example"]);
});

test("what the system says is forgotten in time", async () => {
  const system = network();
  const scene = new Scene({}, system);
  assertEquals(await scene.resolve("www.example"), "192.0.2.1");
  scene.time += 10_000;
  assertEquals(await scene.resolve("www.example"), "192.0.2.2");
  assertEquals(await scene.resolve("nobody.example"), "name-not-found");
  system.names.set("nobody.example", [["192.0.2.3"]]);
  assertEquals(await scene.resolve("nobody.example"), "name-not-found");
  scene.time += 5_000;
  assertEquals(await scene.resolve("nobody.example"), "192.0.2.3");
});

test("without a cache the system is asked each time", async () => {
  const system = network();
  const scene = new Scene({ cache: false }, system);
  assertEquals([await scene.resolve("www.example"), await scene.resolve("www.example")], ["192.0.2.1", "192.0.2.2"]);
  assertEquals(await scene.resolve("nobody.example"), "name-not-found");
});

test("a name that is remembered is given at once, without a promise", async () => {
  const resolve = resolver({ hosts: { "printer.home": "192.0.2.7" } }, network());
  await resolve("www.example", REQUEST);
  assertEquals(resolve("www.example", REQUEST), ["192.0.2.1"]);
  assertEquals(resolve("Printer.Home.", REQUEST), ["192.0.2.7"]);
});

test("nobody's signal is asked for a name that is known", async () => {
  const resolve = resolver({ hosts: { "printer.home": "192.0.2.7" } }, network());
  await resolve("www.example", REQUEST);
  const shy = {
    get signal(): never {
      throw new Error("a signal costs");
    },
  } as unknown as RequestInfo;
  assertEquals(resolve("www.example", shy), ["192.0.2.1"]);
  assertEquals(resolve("printer.home", shy), ["192.0.2.7"]);
});

test("the operator's names come before all others, and may hide them", async () => {
  const system = network();
  const scene = new Scene({ hosts: { "*.example": "192.0.2.9", "ads.example": [] } }, system);
  assertEquals(await scene.resolve("www.example"), "192.0.2.9");
  assertEquals(await scene.resolve("ads.example"), "name-not-found");
  assertEquals(system.lookups, []);
});

test("a session that ends does not fail the lookup of another", async () => {
  const system = network();
  let answer = (_: string[]): void => {};
  system.lookup = () => new Promise((resolve) => answer = resolve);
  const resolve = resolver({}, system);
  const controller = new AbortController();
  const leaving = resolve("www.example", { ...REQUEST, signal: controller.signal }) as Promise<unknown>;
  const staying = resolve("www.example", REQUEST) as Promise<readonly string[]>;
  await Promise.resolve();
  controller.abort(new NetError("closed", "the client left"));
  assertEquals((await assertRejects(() => leaving, NetError)).code, "closed");
  answer(["192.0.2.1"]);
  assertEquals(await soon(staying), ["192.0.2.1"]);
});

test("given name servers are asked, and their times to live are kept to", async () => {
  await using server = await dnsServer();
  server.set("www.test", ["A", "192.0.2.1", 60]);
  const scene = new Scene({ servers: [server.text], timeout: 20_000 });
  assertEquals(await scene.resolve("www.test"), "192.0.2.1");
  server.set("www.test", ["A", "192.0.2.2", 60]);
  scene.time += 59_999;
  assertEquals(await scene.resolve("WWW.test."), "192.0.2.1");
  assertEquals([...server.asked].sort(), ["www.test A", "www.test AAAA"]);
  scene.time += 1;
  assertEquals(await scene.resolve("www.test"), "192.0.2.2");
});

test("what name servers say is kept within the bounds", async () => {
  await using server = await dnsServer();
  server.set("www.test", ["A", "192.0.2.1", 86_400]);
  const scene = new Scene({ servers: [server.text], timeout: 20_000, cache: { maxTtl: 1_000 } });
  await scene.resolve("www.test");
  scene.time += 1_000;
  await scene.resolve("www.test");
  assertEquals(server.asked.length, 4);
});

test("an alias and a name with IPv6 alone lead to their addresses", async () => {
  await using server = await dnsServer();
  server.set("alias.test", ["CNAME", "middle.test", 60], ["CNAME", "end.test", 60], ["A", "192.0.2.1", 60]);
  server.set("six.test", ["AAAA", "2001:db8::1", 60]);
  const scene = new Scene({ servers: [server.text], timeout: 20_000 });
  assertEquals(await scene.resolve("alias.test"), "192.0.2.1");
  assertEquals(await scene.resolve("six.test"), "2001:db8::1");
});

test("a name that does not exist is not asked for again at once", async () => {
  await using server = await dnsServer();
  const scene = new Scene({ servers: [server.text], timeout: 20_000, cache: { negativeTtl: 2_000 } });
  assertEquals(await scene.resolve("nobody.test"), "name-not-found");
  const { length } = server.asked;
  assertEquals(await scene.resolve("nobody.test"), "name-not-found");
  assertEquals(server.asked.length, length);
  scene.time += 2_000;
  server.set("nobody.test", ["A", "192.0.2.1", 60]);
  assertEquals(await scene.resolve("nobody.test"), "192.0.2.1");
});

test("the next server is asked when one is silent, gone, failing or refuses", async () => {
  await using silent = await dnsServer();
  await using failing = await dnsServer();
  await using good = await dnsServer();
  silent.zone.set("www.test", "silence");
  good.set("www.test", ["A", "192.0.2.1", 60]);
  const gone = await dnsServer(ownLoopback());
  await gone[Symbol.asyncDispose]();
  const runtime = patientWith(good, real);
  const scene = (first: string) => new Scene({ servers: [first, good.text], timeout: 200 }, runtime);
  assertEquals(await scene(silent.text).resolve("www.test"), "192.0.2.1");
  assertEquals(await scene(gone.text).resolve("www.test"), "192.0.2.1");
  for (const reply of ["servfail", "refused"] as const) {
    failing.zone.set("www.test", reply);
    assertEquals(await scene(failing.text).resolve("www.test"), "192.0.2.1");
  }
});

test("when all servers are silent the lookup has failed", async () => {
  await using silent = await dnsServer();
  silent.zone.set("www.test", "silence");
  assertEquals(await new Scene({ servers: [silent.text], timeout: 50 }).resolve("www.test"), "lookup-failed");
});

test("localhost is this machine, whatever a name server says", async () => {
  await using server = await dnsServer();
  server.set("localhost", ["A", "192.0.2.66", 60]);
  assertEquals(await new Scene({ servers: [server.text] }).resolve("LOCALHOST"), "127.0.0.1 ::1");
  assertEquals(server.asked, []);
});

test("options that make no sense are refused, with what would", () => {
  const message = (options: ResolverOptions) => assertThrows(() => resolver(options, real), RangeError).message;
  assertEquals(
    message({ servers: ["192.0.2.1", "dns.example"] }),
    'Cannot use resolver.servers: found "dns.example", expected IP, IP:PORT or [IPv6]:PORT (port 1 to 65535)',
  );
  assertEquals(
    message({ servers: [] }),
    "Cannot use resolver.servers: found an empty list, expected at least one name server",
  );
  assertEquals(message({ timeout: 0 }), "Cannot use resolver.timeout: found 0, expected a number of milliseconds");
  assertThrows(() => resolver({ hosts: { a: "b" } }, real), RangeError);
  assertThrows(() => resolver({ cache: { entries: 0 } }, real), RangeError);
});

test("a runtime that cannot ask name servers says so", () => {
  const error = assertThrows(() => resolver({ servers: ["192.0.2.1"] }, memory()), NetError);
  assertEquals(error.code, "not-supported");
});
