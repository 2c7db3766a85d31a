import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { test } from "node:test";
import type { IpAddress } from "../../src/net/address.ts";
import { NetError, type NetErrorCode } from "../../src/net/errors.ts";
import { memory } from "../../src/runtime/memory.ts";
import type { AddressRecord, QueryOptions } from "../../src/runtime/runtime.ts";
import type { Ask } from "../../src/server/lookup_cache.ts";
import type { QueryingRuntime } from "../../src/server/name_server.ts";
import { nameServers } from "../../src/server/name_servers.ts";

/** What a server says of one version of IP: seconds by address, or what goes wrong. */
type Reply = Readonly<Record<IpAddress, number>> | NetErrorCode;

const FOREVER = new AbortController().signal;

/** Name servers that say what the test wants, with a clock that the test turns. */
class Scene {
  time = 0;
  /** `SERVER VERSION`, in order. */
  readonly asked: string[] = [];
  readonly options: QueryOptions[] = [];
  /** By server, or by server and version. */
  readonly replies = new Map<string, Reply>();
  readonly ask: Ask;

  constructor(servers: readonly string[], interfaces: readonly IpAddress[] = ["127.0.0.1", "::1", "fe80::1"]) {
    const query = (name: string, version: 4 | 6, { ip }: { ip: string }, options: QueryOptions) => {
      this.asked.push(`${ip} ${version}`);
      this.options.push(options);
      const reply = this.replies.get(`${ip} ${version}`) ?? this.replies.get(ip) ?? "name-not-found";
      if (typeof reply === "string") return Promise.reject(new NetError(reply, `${name} at ${ip}: ${reply}`));
      return Promise.resolve(Object.entries(reply).map(([ip, ttl]): AddressRecord => ({ ip, ttl: ttl * 1000 })));
    };
    const runtime: QueryingRuntime = Object.assign(memory({ interfaces }), { query, queryBlursFailures: this.blurs });
    const addresses = servers.map((ip) => ({ ip, port: 53 }));
    this.ask = nameServers({ servers: addresses, timeout: 2_000, runtime, now: () => this.time });
  }

  get blurs(): boolean {
    return false;
  }

  /** What comes of a question, as text: addresses and seconds, or a code. */
  async find(name = "www.example"): Promise<string> {
    this.asked.length = 0;
    try {
      const { ips, ttl } = await this.ask(name, FOREVER);
      return `${ips.join(" ")} for ${ttl! / 1000} s`;
    } catch (error) {
      return (error as NetError).code;
    }
  }
}

class BlurredScene extends Scene {
  override get blurs(): boolean {
    return true;
  }
}

test("the first server is asked for both versions of IP, and the shortest time counts", async () => {
  const scene = new Scene(["a", "b"]);
  scene.replies.set("a 4", { "192.0.2.1": 60, "192.0.2.2": 50 }).set("a 6", { "2001:db8::1": 30 });
  assertEquals(await scene.find(), "192.0.2.1 192.0.2.2 2001:db8::1 for 30 s");
  assertEquals(scene.asked, ["a 4", "a 6"]);
  assertEquals(scene.options[0], { signal: FOREVER, timeout: 2_000 });
});

test("IPv6 comes first on a machine that has it", async () => {
  for (const own of ["2001:db8:5::1", "fd00::1"]) {
    const scene = new Scene(["a"], ["127.0.0.1", "192.168.7.7", own]);
    scene.replies.set("a 4", { "192.0.2.1": 60 }).set("a 6", { "2001:db8::1": 60 });
    assertEquals(await scene.find(), "2001:db8::1 192.0.2.1 for 60 s");
  }
});

test("a name with addresses of one version alone is as good, and its time is its own", async () => {
  const scene = new Scene(["a", "b"]);
  scene.replies.set("a 6", { "2001:db8::1": 600 });
  assertEquals(await scene.find(), "2001:db8::1 for 600 s");
  scene.replies.clear();
  scene.replies.set("a 4", { "192.0.2.1": 600 });
  assertEquals(await scene.find(), "192.0.2.1 for 600 s");
  assertEquals(scene.asked, ["a 4", "a 6"]);
});

test("an address that comes twice is given once", async () => {
  const scene = new Scene(["a"]);
  scene.replies.set("a 4", { "192.0.2.1": 60 }).set("a 6", { "192.0.2.1": 60 }); // it was v4-mapped
  assertEquals(await scene.find(), "192.0.2.1 for 60 s");
});

test("that a name does not exist is believed of the first server", async () => {
  const scene = new Scene(["a", "b"]);
  scene.replies.set("b", { "192.0.2.1": 60 });
  assertEquals(await scene.find(), "name-not-found");
  assertEquals(scene.asked, ["a 4", "a 6"]);
});

test("an empty answer is none", async () => {
  const scene = new Scene(["a"]);
  scene.replies.set("a", {});
  assertEquals(await scene.find(), "name-not-found");
  scene.replies.set("a 4", { "192.0.2.1": 60 });
  assertEquals(await scene.find(), "192.0.2.1 for 60 s");
});

for (const code of ["timeout", "refused", "unreachable-network", "lookup-failed"] as const) {
  test(`when the first server says ${code} the second is asked`, async () => {
    const scene = new Scene(["a", "b"]);
    scene.replies.set("a", code).set("b 4", { "192.0.2.1": 60 });
    assertEquals(await scene.find(), "192.0.2.1 for 60 s");
    assertEquals(scene.asked, ["a 4", "a 6", "b 4", "b 6"]);
  });
}

test("when no server answers all are asked once more, and then it has failed", async () => {
  const scene = new Scene(["a", "b"]);
  scene.replies.set("a", "timeout").set("b", "lookup-failed");
  const error = await assertRejects(() => scene.ask("www.example", FOREVER), NetError);
  assertEquals([error.code, error.message], ["lookup-failed", "www.example at b: lookup-failed"]);
  assertEquals(scene.asked, ["a 4", "a 6", "b 4", "b 6", "a 4", "a 6", "b 4", "b 6"]);
});

test("what is missing is asked for once more, and then the other half has to do for a while", async () => {
  const scene = new Scene(["a", "b", "c"]);
  scene.replies.set("a 4", { "192.0.2.1": 600 }).set("a 6", "timeout").set("b 6", { "2001:db8::1": 600 });
  assertEquals(await scene.find(), "192.0.2.1 2001:db8::1 for 600 s");
  assertEquals(scene.asked, ["a 4", "a 6", "b 6"]);
  scene.replies.set("b 6", "timeout");
  assertEquals(await scene.find(), "192.0.2.1 for 5 s");
  assertEquals(scene.asked, ["a 4", "a 6", "b 6"]);
});

test("nobody says that a name does not exist who has half an answer", async () => {
  const scene = new Scene(["a"]);
  scene.replies.set("a 4", "name-not-found").set("a 6", "timeout");
  assertEquals(await scene.find(), "lookup-failed");
  assertEquals(scene.asked, ["a 4", "a 6", "a 6"]);
});

test("a server that has not answered three times in a row is asked last for half a minute", async () => {
  const scene = new Scene(["a", "b"]);
  scene.replies.set("a", "timeout").set("b 4", { "192.0.2.1": 60 });
  await scene.find(); // that was twice
  await scene.find();
  assertEquals(scene.asked[0], "a 4");
  await scene.find();
  assertEquals(scene.asked, ["b 4", "b 6"]);
  scene.time += 29_999;
  await scene.find();
  assertEquals(scene.asked, ["b 4", "b 6"]);
  scene.time += 1;
  await scene.find();
  assertEquals(scene.asked[0], "a 4");
});

test("a server that is down is still asked when the others fail, and is up once it answers", async () => {
  const scene = new Scene(["a", "b"]);
  scene.replies.set("a", "timeout").set("b 4", { "192.0.2.1": 60 });
  for (let i = 0; i < 2; i++) await scene.find();
  scene.replies.set("b 4", "lookup-failed").set("b 6", "lookup-failed").set("a", { "192.0.2.9": 60 });
  assertEquals(await scene.find(), "192.0.2.9 for 60 s");
  assertEquals(scene.asked.slice(0, 3), ["b 4", "b 6", "a 4"]);
  await scene.find();
  assertEquals(scene.asked[0], "a 4");
});

test("a server that says it failed has answered, and stays the first", async () => {
  const scene = new Scene(["a", "b"]);
  scene.replies.set("a", "lookup-failed").set("b 4", { "192.0.2.1": 60 });
  for (let i = 0; i < 5; i++) {
    await scene.find();
    assertEquals(scene.asked[0], "a 4");
  }
});

test("who calls off is not kept asking, and no server is blamed", async () => {
  const scene = new Scene(["a", "b"]);
  scene.replies.set("a", "aborted").set("b", { "192.0.2.1": 60 });
  const reason = new NetError("aborted", "never mind");
  for (let i = 0; i < 3; i++) {
    const error = await assertRejects(() => scene.ask("www.example", AbortSignal.abort(reason)));
    assertStrictEquals(error, reason);
  }
  assertEquals(scene.asked, ["a 4", "a 6", "a 4", "a 6", "a 4", "a 6"]);
});

test("no server is asked for what needs none", async () => {
  const scene = new Scene(["a"]);
  assertEquals(await scene.find("localhost"), "127.0.0.1 ::1 for 86400 s");
  assertEquals(await scene.find("abc.onion"), "name-not-found");
  assertEquals(scene.asked, []);
});

test("where absence may be a failure, the next server is asked", async () => {
  const scene = new BlurredScene(["a", "b"]);
  scene.replies.set("b 4", { "192.0.2.1": 60 });
  assertEquals(await scene.find(), "192.0.2.1 for 60 s");
  assertEquals(scene.asked, ["a 4", "a 6", "b 4", "b 6"]);
});

test("where absence may be a failure, each server is asked once, and none that is down", async () => {
  const scene = new BlurredScene(["a", "b"]);
  assertEquals(await scene.find(), "name-not-found");
  assertEquals(scene.asked, ["a 4", "a 6", "b 4", "b 6"]);
  scene.replies.set("b", "timeout");
  for (let i = 0; i < 2; i++) assertEquals(await scene.find(), "name-not-found");
  assertEquals(await scene.find(), "name-not-found");
  assertEquals(scene.asked, ["a 4", "a 6"]);
});

test("where absence may be a failure, a server that knows half of a name is believed of the rest", async () => {
  const scene = new BlurredScene(["a", "b"]);
  scene.replies.set("a 4", { "192.0.2.1": 600 }).set("b 6", { "2001:db8::1": 600 });
  assertEquals(await scene.find(), "192.0.2.1 for 600 s");
  assertEquals(scene.asked, ["a 4", "a 6"]);
});
