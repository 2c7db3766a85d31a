import { assertEquals, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import { associate } from "../../src/client/associate.ts";
import { ProxyError } from "../../src/client/proxy_error.ts";
import { NetError } from "../../src/net/errors.ts";
import { memory } from "../../src/runtime/memory.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { serve, type Server } from "../../src/server/server.ts";
import { eventually, Recorder, soon } from "../server/_harness.ts";

const HOSTS = {
  "echo.test": ["198.51.100.7"],
  "p1.test": ["192.0.2.1"],
  "p2.test": ["192.0.2.2"],
  "p3.test": ["192.0.2.3"],
};

/** Three proxies on one network, and a machine that sends back what it gets. */
async function scene() {
  const seen = [new Recorder(), new Recorder(), new Recorder()];
  const base = memory({ hosts: HOSTS });
  const servers: Server[] = [];
  for (const [at, observer] of seen.entries()) {
    servers.push(
      await serve({
        listen: `192.0.2.${at + 1}:1080`,
        rules: { request: () => "allow" },
        open: true,
        runtime: base,
        observer,
      }),
    );
  }
  const echo = await base.bindDatagram({
    address: { ip: "198.51.100.7", port: 7 },
    onDatagram: (bytes, ip, port) => echo.send(bytes, ip, port),
  });
  // A client that resolves nothing.
  const runtime: Runtime = {
    name: "memory",
    listen: (options) => base.listen(options),
    connect: (to, options) => base.connect(to, options),
    bindDatagram: (options) => base.bindDatagram(options),
    lookup: () => Promise.reject(new Error("A lookup here")),
    interfaces: () => base.interfaces(),
  };
  return {
    base,
    runtime,
    servers,
    seen,
    async [Symbol.asyncDispose]() {
      echo.close();
      for (const server of servers) await soon(server.close());
    },
  };
}

for (const count of [1, 2, 3]) {
  describe(`through ${count} of them`, () => {
    test("datagrams go there and back, by address and by name, with no lookup here", async () => {
      await using at = await scene();
      // The first is connected to from here.
      const proxy = ["192.0.2.1", "p2.test", "p3.test"].slice(0, count).map((host) => `socks5h://${host}`);
      const socket = await soon(associate({ proxy, runtime: at.runtime }));
      const incoming = socket[Symbol.asyncIterator]();
      for (const to of ["198.51.100.7:7", "echo.test:7"]) {
        await socket.send(new TextEncoder().encode(to), to);
        const { value } = await soon(incoming.next());
        assertEquals(new TextDecoder().decode(value!.data), to);
        assertEquals(value!.source, { type: "ipv4", host: "198.51.100.7", port: 7 });
      }
      await incoming.return(undefined);
      await assertRejects(() => socket.send(new Uint8Array(1), "198.51.100.7:7"), NetError);
      for (const { summaries, events } of at.seen.slice(0, count)) {
        const sessions = events.filter((event) => event.startsWith("opened")).length;
        await eventually(() => summaries.length === sessions, "the end of its sessions");
      }
    });

    test("names are resolved here for `socks5`, also where a proxy is to be found", async () => {
      await using at = await scene();
      const proxy = ["p1.test", "p2.test", "p3.test"].slice(0, count).map((host) => `socks5://${host}`);
      const asked: string[] = [];
      const lookup = (name: string) => (asked.push(name), Promise.resolve(HOSTS[name as keyof typeof HOSTS]));
      await using socket = await soon(associate({ proxy, runtime: at.runtime, lookup }));
      await socket.send(Uint8Array.of(1), "echo.test:7");
      const { value } = await soon(socket[Symbol.asyncIterator]().next());
      assertEquals(value!.source.host, "198.51.100.7");
      assertEquals([...new Set(asked)].sort(), ["echo.test", "p1.test", "p2.test", "p3.test"].slice(0, count + 1));
    });

    for (let which = 0; which < count; which++) {
      test(`the end of proxy ${which + 1} ends it`, async () => {
        await using at = await scene();
        const proxy = ["192.0.2.1", "192.0.2.2", "192.0.2.3"].slice(0, count).map((host) => `socks5h://${host}`);
        const socket = await soon(associate({ proxy, runtime: at.runtime }));
        const reading = socket[Symbol.asyncIterator]().next();
        await soon(at.servers[which]!.close());
        assertEquals((await soon(reading)).done, true);
      });
    }
  });
}

test("a proxy in the chain that cannot is told of before any is asked", async () => {
  const runtime = memory();
  for (const scheme of ["socks4", "socks4a"]) {
    const proxy = ["socks5://192.0.2.1", `${scheme}://192.0.2.2`, "socks5://192.0.2.3"];
    const error = await assertRejects(() => soon(associate({ proxy, runtime })), ProxyError);
    assertEquals([error.hop, error.code, error.proxy], [1, "not-supported", `${scheme}://192.0.2.2:1080`]);
  }
});

test("a proxy that refuses is named, and those before it are let go", async () => {
  await using at = await scene();
  const strict = await serve({
    listen: "192.0.2.9:1080",
    rules: { request: ({ command }) => command === "udp-associate" ? "deny" : "allow" },
    open: true,
    runtime: at.base,
  });
  const proxy = ["socks5h://192.0.2.1", "socks5h://192.0.2.9", "socks5h://192.0.2.3"];
  const error = await assertRejects(() => soon(associate({ proxy, runtime: at.runtime })), ProxyError);
  assertEquals([error.hop, error.phase, error.reply], [1, "reply", 2]);
  for (const { events, summaries } of [at.seen[0]!, at.seen[2]!]) {
    await eventually(() => summaries.length === events.filter((event) => event === "opened").length, "their end");
  }
  await soon(strict.close());
});

test("a signal that aborts ends the opening of all of them", async () => {
  await using at = await scene();
  const silent = await at.base.listen({ address: { ip: "192.0.2.9", port: 1080 } });
  const taken = silent[Symbol.asyncIterator]().next();
  const controller = new AbortController();
  const proxy = ["socks5h://192.0.2.1", "socks5h://192.0.2.9"];
  const opening = associate({ proxy, runtime: at.runtime, signal: controller.signal });
  opening.catch(() => {});
  await soon(taken);
  controller.abort();
  const error = await assertRejects(() => soon(opening), ProxyError);
  assertEquals(error.code, "aborted");
  const { events, summaries } = at.seen[0]!;
  await eventually(() => summaries.length === events.filter((event) => event === "opened").length, "their end");
  silent.close();
});

describe("a login that wraps datagrams", () => {
  /** Puts a byte before each datagram. */
  const method = {
    code: 0x85,
    name: "wrapping",
    negotiate: () =>
      Promise.resolve({
        user: { name: "ada", by: "wrapping" },
        datagrams: {
          wrap: (bytes: Uint8Array) => Uint8Array.of(9, ...bytes),
          unwrap: (bytes: Uint8Array) => bytes[0] === 9 ? bytes.slice(1) : undefined,
        },
      }),
  };

  const start = (runtime: Runtime, ip: string) =>
    serve({ listen: `${ip}:1080`, rules: { request: () => "allow" }, methods: [method], open: true, runtime });

  test("may be the first proxy's in a chain", async () => {
    await using at = await scene();
    const server = await start(at.base, "192.0.2.9");
    const proxy = ["socks5h://192.0.2.9", "socks5h://192.0.2.2"];
    const socket = await soon(associate({ proxy, methods: [method], runtime: at.runtime }));
    await socket.send(Uint8Array.of(1, 2), "echo.test:7");
    const { value } = await soon(socket[Symbol.asyncIterator]().next());
    assertEquals([...value!.data], [1, 2]);
    socket.close();
    await soon(server.close());
  });

  test("may not be another's", async () => {
    await using at = await scene();
    const server = await start(at.base, "192.0.2.9");
    const proxy = ["socks5h://192.0.2.1", "socks5h://192.0.2.9"];
    const opening = associate({ proxy, methods: [method], runtime: at.runtime });
    const error = await assertRejects(() => soon(opening), ProxyError);
    assertEquals([error.hop, error.code], [1, "not-supported"]);
    await soon(server.close());
  });
});
