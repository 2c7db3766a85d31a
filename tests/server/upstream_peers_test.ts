/** BIND and datagrams of our server's clients, through real servers of others and ours. */

import { assertEquals, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import { associate } from "../../src/client/associate.ts";
import { bind } from "../../src/client/bind.ts";
import { ProxyError } from "../../src/client/proxy_error.ts";
import { currentRuntime } from "../../src/runtime/detect.ts";
import { serve } from "../../src/server/server.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import { type Peer, PEERS, Resources } from "../client/_servers.ts";
import { ownLoopback } from "../runtime/_own_loopback.ts";
import { eventually, soon } from "./_harness.ts";

const runtime = await currentRuntime();

/** A server of ours. */
async function ours(resources: Resources, proxy?: string | string[]): Promise<number> {
  const through = proxy === undefined ? {} : {
    upstreams: { up: { proxy } },
    via: "up",
    // Whoever leaves names to others looks none up.
    resolve: (name: string) => Promise.reject(new Error(`A lookup of ${name}`)),
  };
  const server = await serve({ listen: "127.0.0.1:0", rules: { request: () => "allow" }, ...through });
  resources.defer(() => server.close());
  return (server.addresses[0] as { port: number }).port;
}

const OURS: Peer = {
  name: "our server",
  lack: undefined,
  can: ["bind", "udp"],
  start: (resources) => ours(resources),
};

/** A host that sends back what it gets. */
async function echo(resources: Resources): Promise<number> {
  const socket = await runtime.bindDatagram({
    address: { ip: "127.0.0.1", port: 0 },
    onDatagram: (bytes, ip, port) => socket.send(bytes, ip, port),
  });
  resources.defer(() => socket.close());
  return socket.address.port;
}

async function echoes(proxy: string | string[], port: number): Promise<void> {
  for (const host of ["127.0.0.1", "localhost"]) {
    const socket = await soon(associate({ proxy, runtime }));
    const incoming = socket[Symbol.asyncIterator]();
    for (const size of [0, 3, 1200]) {
      await socket.send(new Uint8Array(size).fill(size), `${host}:${port}`);
      const { value } = await soon(incoming.next(), `a datagram of ${size} bytes, sent to ${host}`);
      assertEquals([value!.data.length, value!.source.port], [size, port]);
    }
    socket.close();
  }
}

for (const peer of [OURS, ...PEERS]) {
  const can = (ability: "bind" | "udp") => peer.can.includes(ability);
  describe(`behind us, ${peer.name}`, { skip: peer.lack }, () => {
    if (peer.lack !== undefined) return void test(`(skipped: ${peer.lack})`, { skip: peer.lack }, () => {});

    test(can("udp") ? "carries datagrams, to addresses and to names" : "carries no datagrams", async () => {
      await using resources = new Resources();
      const port = await ours(resources, `socks5h://127.0.0.1:${await peer.start(resources)}`);
      const target = await echo(resources);
      if (can("udp")) return await echoes(`socks5h://127.0.0.1:${port}`, target);
      // We grant the association before we ask for one, and its datagrams are lost.
      const socket = await soon(associate({ proxy: `socks5h://127.0.0.1:${port}`, runtime }));
      await socket.send(Uint8Array.of(1), `127.0.0.1:${target}`);
      socket.close();
    });

    test(can("bind") ? "listens for a peer" : "listens for nobody, and our client is told", async () => {
      await using resources = new Resources();
      const port = await ours(resources, `socks5h://127.0.0.1:${await peer.start(resources)}`);
      for (const scheme of ["socks4", "socks5"]) {
        const binding = bind("127.0.0.1:1", { proxy: `${scheme}://127.0.0.1:${port}`, runtime });
        if (!can("bind")) {
          assertEquals((await assertRejects(() => soon(binding), ProxyError)).phase, "reply");
          continue;
        }
        const { address } = await soon(binding);
        const accepting = (await binding).accept();
        const visitor = duplexOf(await runtime.connect({ ip: address.host, port: address.port }));
        const { connection, peer: who } = await soon(accepting);
        assertEquals([who.host, who.port], ["127.0.0.1", visitor.local!.port]);
        await visitor.write(new TextEncoder().encode("hello"));
        assertEquals(new TextDecoder().decode((await soon(connection.read()))!), "hello");
        await connection.write(new TextEncoder().encode("back"));
        assertEquals(new TextDecoder().decode((await soon(visitor.read()))!), "back");
        connection.close();
        visitor.close();
      }
    });

    if (!can("udp")) return;

    test("datagrams go through chains with it at every place, of two and of three", async () => {
      await using resources = new Resources();
      const target = await echo(resources);
      const its = `socks5h://127.0.0.1:${await peer.start(resources)}`;
      const [one, two] = [await ours(resources), await ours(resources)].map((port) => `socks5h://127.0.0.1:${port}`);
      for (const chain of [[its, one!], [one!, its], [its, one!, two!], [one!, its, two!], [one!, two!, its]]) {
        await echoes(chain, target);
      }
      await echoes(`socks5h://127.0.0.1:${await ours(resources, [one!, its, two!])}`, target);
    });
  });
}

test("a proxy that ends and comes back carries datagrams again, for the same client", async () => {
  await using resources = new Resources();
  const target = await echo(resources);
  const host = ownLoopback();
  const start = (port: number) => serve({ listen: `${host}:${port}`, rules: { request: () => "allow" } });
  const first = await start(0);
  const { port } = first.addresses[0] as { port: number };
  const front = await ours(resources, `socks5h://${host}:${port}`);
  const socket = await soon(associate({ proxy: `socks5h://127.0.0.1:${front}`, runtime }));
  resources.defer(() => socket.close());
  const incoming = socket[Symbol.asyncIterator]();
  await socket.send(Uint8Array.of(1), `127.0.0.1:${target}`);
  assertEquals([...(await soon(incoming.next())).value!.data], [1]);
  await soon(first.close());

  const second = await start(port);
  resources.defer(() => second.close());
  // Datagrams are lost until the proxy is tried again.
  const again = setInterval(() => socket.send(Uint8Array.of(2), `127.0.0.1:${target}`), 50);
  resources.defer(() => clearInterval(again));
  assertEquals([...(await soon(incoming.next())).value!.data], [2]);
});

test("no name server is asked about names that go by `socks5h`: of datagrams, or of a peer", async () => {
  await using resources = new Resources();
  const target = await echo(resources);
  let questions = 0;
  const nameServer = await runtime.bindDatagram({
    address: { ip: "127.0.0.1", port: 0 },
    onDatagram: () => questions++,
  });
  resources.defer(() => nameServer.close());
  const asking = async (proxy: string) => {
    const server = await serve({
      listen: "127.0.0.1:0",
      rules: { request: () => "allow" },
      resolver: { servers: [`127.0.0.1:${nameServer.address.port}`], timeout: 100 },
      upstreams: { up: { proxy } },
      via: "up",
    });
    resources.defer(() => server.close());
    return `socks5h://127.0.0.1:${(server.addresses[0] as { port: number }).port}`;
  };
  const up = `127.0.0.1:${await ours(resources)}`;
  const kept = await asking(`socks5h://${up}`);
  await echoes(kept, target);
  (await soon(bind("localhost:1", { proxy: kept, runtime }))).close();
  await assertRejects(() => soon(bind("nowhere.invalid:1", { proxy: kept, runtime })), ProxyError);
  assertEquals(questions, 0);

  // It would have been seen.
  const resolved = await asking(`socks5://${up}`);
  await assertRejects(() => soon(bind("peer.example:1", { proxy: resolved, runtime })), ProxyError);
  await eventually(() => questions > 0, "the question");
});
