import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import { arpaName } from "../../src/net/arpa.ts";
import { NetError } from "../../src/net/errors.ts";
import type { RequestInfo } from "../../src/policy/rules.ts";
import { currentRuntime } from "../../src/runtime/detect.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import type { ResolverOptions } from "../../src/server/resolver.ts";
import { reverser } from "../../src/server/reverser.ts";
import { type DnsServer, dnsServer, patientWith } from "../runtime/_dns_server.ts";
import { soon } from "./_harness.ts";
import { Network } from "./_network.ts";

const REQUEST = { signal: new AbortController().signal } as Partial<RequestInfo> as RequestInfo;
const real = await currentRuntime();
const isDeno = real.name === "deno";
const IP = "192.0.2.7";

/** What finds names, with a clock that the test turns. */
class Scene {
  time = 0;
  readonly names: (ip: string) => Promise<string>;

  constructor(options: ResolverOptions | undefined, runtime: Runtime = real) {
    const reverse = reverser(options, runtime, () => this.time)!;
    this.names = async (ip) => {
      try {
        return (await soon((async () => await reverse(ip, REQUEST))())).join(" ");
      } catch (error) {
        assert(error instanceof NetError, String(error));
        return error.code;
      }
    };
  }
}

function network(): Network {
  const network = new Network();
  network.reverses.set(IP, ["www.example"]);
  return network;
}

function say(server: DnsServer, ip: string, ...names: readonly string[]): void {
  server.set(arpaName(ip), ...names.map((name) => ["PTR", name, 60] as const));
}

test("the system is asked, each time without options and once in ten seconds with", async () => {
  const bare = network();
  const plain = new Scene(undefined, bare);
  for (let i = 0; i < 2; i++) assertEquals(await plain.names(IP), "www.example");
  assertEquals(bare.lookups, [IP, IP]);

  const system = network();
  const scene = new Scene({}, system);
  for (let i = 0; i < 2; i++) assertEquals(await scene.names(IP), "www.example");
  assertEquals(await scene.names("192.0.2.8"), "name-not-found");
  assertEquals(system.lookups, [IP, "192.0.2.8"]);
  scene.time += 10_000;
  assertEquals(await scene.names(IP), "www.example");
  assertEquals(system.lookups.length, 3);

  const forgetful = network();
  const without = new Scene({ cache: false }, forgetful);
  for (let i = 0; i < 2; i++) assertEquals(await without.names(IP), "www.example");
  assertEquals(forgetful.lookups.length, 2);
});

test("names that are set are names of their addresses, and nobody is asked", async () => {
  const system = network();
  const hosts = { "nas.home": IP, "disk.home": [IP, "2001:DB8::7"], "*.home": "192.0.2.9", "gone.home": [] };
  const { names } = new Scene({ hosts }, system);
  assertEquals(await names(IP), "nas.home disk.home");
  assertEquals(await names("2001:db8::7"), "disk.home");
  assertEquals(system.lookups, []);
  assertEquals(await names("192.0.2.9"), "name-not-found");
});

test("given name servers are asked, the next one where one does not answer", async () => {
  await using silent = await dnsServer();
  await using server = await dnsServer();
  silent.zone.set(arpaName(IP), "silence").set(arpaName("2001:db8::7"), "silence");
  say(server, IP, "www.test", "www2.test");
  say(server, "2001:db8::7", "six.test");
  const runtime = patientWith(server, real);
  const { names } = new Scene({ servers: [silent.text, server.text], timeout: 200 }, runtime);
  assertEquals(await names(IP), "www.test www2.test");
  assertEquals(await names("2001:db8::7"), "six.test");
  assertEquals(server.asked, [`${arpaName(IP)} PTR`, `${arpaName("2001:db8::7")} PTR`]);
});

test("a name server that knows of no name is believed, but on Deno where it may not be able to tell", async () => {
  await using first = await dnsServer();
  await using second = await dnsServer();
  say(second, IP, "www.test");
  const { names } = new Scene({ servers: [first.text, second.text], timeout: 20_000 });
  assertEquals(await names(IP), isDeno ? "www.test" : "name-not-found");
  assertEquals(await names("192.0.2.8"), "name-not-found");
});

test("a name server that fails is passed over, and if all do it is not known", async () => {
  await using first = await dnsServer();
  await using second = await dnsServer();
  first.zone.set(arpaName(IP), "servfail").set(arpaName("192.0.2.8"), "servfail");
  second.zone.set(arpaName("192.0.2.8"), "servfail");
  say(second, IP, "www.test");
  const { names } = new Scene({ servers: [first.text, second.text], timeout: 20_000 });
  assertEquals(await names(IP), "www.test");
  assertEquals(await names("192.0.2.8"), isDeno ? "name-not-found" : "lookup-failed");
});

test("name servers are not asked about this machine", async () => {
  await using server = await dnsServer();
  const { names } = new Scene({ servers: [server.text] });
  assertEquals([await names("127.0.0.1"), await names("::1"), server.asked], ["localhost", "localhost", []]);
});

test("a client that leaves is not waited for", async () => {
  await using server = await dnsServer();
  server.zone.set(arpaName(IP), "silence");
  const reverse = reverser({ servers: [server.text], timeout: 20_000 }, real)!;
  const leaving = new AbortController();
  const asking = (async () => await reverse(IP, { signal: leaving.signal } as RequestInfo))();
  const reason = new NetError("closed", "The client left");
  leaving.abort(reason);
  assertEquals(await soon(asking.catch((error) => error)), reason);
});

test("where the system has no means to, there is nothing", () => {
  const poor = { ...real, reverseLookup: undefined, reverseQuery: undefined } as unknown as Runtime;
  assertEquals([reverser(undefined, poor), reverser({}, poor), reverser({ servers: ["192.0.2.53"] }, poor)], [
    undefined,
    undefined,
    undefined,
  ]);
});
