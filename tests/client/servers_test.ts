/** Our client and real SOCKS servers, of others and ours. */

import { assertEquals, assertRejects } from "@std/assert";
import { after, before, describe, test } from "node:test";
import { associate } from "../../src/client/associate.ts";
import { bind } from "../../src/client/bind.ts";
import { connect } from "../../src/client/connect.ts";
import { dialThrough } from "../../src/client/dial_through.ts";
import { parseProxy } from "../../src/client/proxy.ts";
import { ProxyError } from "../../src/client/proxy_error.ts";
import { currentRuntime } from "../../src/runtime/detect.ts";
import type { Connection, Duplex, Runtime } from "../../src/runtime/runtime.ts";
import { serve } from "../../src/server/server.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import { readPattern, sendPattern } from "../runtime/_support.ts";
import { soon } from "../server/_harness.ts";
import { freePort } from "../_free_port.ts";
import { echo } from "./_echo.ts";
import { type Peer, PEERS, Resources } from "./_servers.ts";

const runtime = await currentRuntime();

const OURS: Peer = {
  name: "our server",
  lack: undefined,
  can: ["socks4", "socks4a", "login", "bind", "udp", "optimistic"],
  async start(resources, login = false) {
    const users = login ? { users: [{ name: "ada", password: "lovelace" }] } : {};
    const server = await serve({ listen: "127.0.0.1:0", rules: { request: () => undefined }, ...users });
    resources.defer(() => server.close());
    return (server.addresses[0] as { port: number }).port;
  },
};

const SIZE = 1 << 20;

async function carries(connection: Connection & Duplex): Promise<void> {
  const sending = sendPattern(connection, SIZE);
  let seen = 0;
  // Not to the end: microsocks does not pass a half-close on.
  while (seen < SIZE) seen += (await soon(connection.read()))!.length;
  await sending;
  assertEquals(seen, SIZE);
  connection.close();
}

test("a server whose way out is a proxy: relayed natively, with what the target says first, and the proxy's reply", async () => {
  await using resources = new Resources();
  const proxy = parseProxy(`socks5h://ada:lovelace@127.0.0.1:${await OURS.start(resources, true)}`);
  const relayed: boolean[] = [];
  const watched: Runtime = {
    ...runtime,
    relay(job) {
      relayed.push(runtime.relay!(job));
      return relayed.at(-1)!;
    },
  };
  const server = await serve({
    listen: "127.0.0.1:0",
    runtime: watched,
    rules: { request: () => undefined },
    resolve: false,
    dial: async (target, { signal }) => {
      const lookup = () => Promise.reject(new Error("A name was looked up here"));
      return (await dialThrough([proxy], target, { runtime, signal, lookup })).connection;
    },
  });
  resources.defer(() => server.close());
  const front = `socks5h://127.0.0.1:${(server.addresses[0] as { port: number }).port}`;

  // Nobody else comes to this port when it is closed again.
  const port = await freePort();
  const speaker = await runtime.listen({ address: { ip: "127.0.0.1", port } });
  resources.defer(() => speaker.close());
  (async () => {
    for await (const connection of speaker) {
      const end = duplexOf(connection);
      const speak = async () => {
        await end.write(new TextEncoder().encode("hello"));
        end.closeWrite();
        await end.read();
      };
      speak().catch(() => {});
    }
  })();
  const connection = await soon(connect(`localhost:${port}`, { proxy: front, runtime }));
  assertEquals(await soon(new Response(connection.readable).text()), "hello");
  connection.close();
  assertEquals(relayed, [true]);

  speaker.close();
  const error = await assertRejects(() => soon(connect(`localhost:${port}`, { proxy: front, runtime })), ProxyError);
  assertEquals(error.reply, 5);
});

for (const peer of [OURS, ...PEERS]) {
  describe(peer.name, { skip: peer.lack }, () => {
    if (peer.lack !== undefined) return void test(`(skipped: ${peer.lack})`, { skip: peer.lack }, () => {});
    const resources = new Resources();
    const can = (ability: Peer["can"][number]) => peer.can.includes(ability);
    let port = 0, target = 0;
    before(async () => {
      port = await peer.start(resources);
      target = await echo(resources, runtime);
    });
    after(() => resources[Symbol.asyncDispose]());

    for (const scheme of ["socks4", "socks4a", "socks5", "socks5h"] as const) {
      if (scheme.startsWith("socks4") && !can(scheme as "socks4")) continue;
      test(`${scheme}: 1 MiB there and back, by address and by name`, async () => {
        const proxy = `${scheme}://127.0.0.1:${port}`;
        for (const host of ["127.0.0.1", "localhost"]) {
          await carries(await soon(connect(`${host}:${target}`, { proxy, runtime })));
        }
      });
    }

    if (peer.name !== "microsocks") {
      test("an end passes, and what follows it comes back whole", async () => {
        const connection = await soon(connect(`127.0.0.1:${target}`, { proxy: `socks5://127.0.0.1:${port}` }));
        const sending = sendPattern(connection, SIZE).then(() => connection.closeWrite());
        assertEquals(await readPattern(connection), SIZE);
        await sending;
      });
    }

    if (can("optimistic")) {
      test("optimistic: all in one write", async () => {
        const payload = new TextEncoder().encode("hello");
        const options = { proxy: `socks5h://127.0.0.1:${port}`, runtime, optimistic: true, payload };
        const connection = await soon(connect(`127.0.0.1:${target}`, options));
        assertEquals(new TextDecoder().decode((await soon(connection.read()))!), "hello");
        connection.close();
      });
    }

    if (can("login")) {
      test("a login is asked for, and checked", async () => {
        await using own = new Resources();
        const port = await peer.start(own, true);
        const through = (login: string) =>
          connect(`127.0.0.1:${target}`, { proxy: `socks5h://${login}127.0.0.1:${port}` });
        await carries(await soon(through("ada:lovelace@")));
        const phase = async (login: string) => (await assertRejects(() => soon(through(login)), ProxyError)).phase;
        assertEquals([await phase(""), await phase("ada:no@")], ["greeting", "authentication"]);
      });
    }

    test("a refused target is an error with its phase", async () => {
      const closed = await freePort();
      const proxy = `socks5://127.0.0.1:${port}`;
      const error = await assertRejects(() => soon(connect(`127.0.0.1:${closed}`, { proxy, runtime })), ProxyError);
      assertEquals(error.phase, "reply");
      // OpenSSH says 1 for whatever fails.
      if (peer.name !== "ssh -D") assertEquals([error.code, error.reply], ["refused", 5]);
    });

    test("a chain through it and then ours", async () => {
      await using own = new Resources();
      const second = await OURS.start(own, true);
      const proxy = [`socks5h://127.0.0.1:${port}`, `socks5h://ada:lovelace@localhost:${second}`];
      await carries(await soon(connect(`localhost:${target}`, { proxy, runtime })));
    });

    if (can("bind")) {
      for (const scheme of ["socks4", "socks5"]) {
        test(`${scheme}, BIND: a peer comes to where the proxy listens`, async () => {
          const proxy = `${scheme}://127.0.0.1:${port}`;
          const binding = await soon(bind("127.0.0.1:1", { proxy, runtime }));
          const accepting = binding.accept();
          const { host, port: at } = binding.address;
          const peer = duplexOf(await runtime.connect({ ip: host, port: at }));
          const { connection, peer: who } = await soon(accepting);
          assertEquals([who.host, who.port], ["127.0.0.1", peer.local!.port]);
          await peer.write(new TextEncoder().encode("hello"));
          assertEquals(new TextDecoder().decode((await soon(connection.read()))!), "hello");
          connection.close();
          peer.close();
        });
      }
    }

    if (can("udp")) {
      test("UDP: datagrams go there and back, by address and by name", async () => {
        const echo = await runtime.bindDatagram({
          address: { ip: "127.0.0.1", port: 0 },
          onDatagram: (bytes, ip, port) => echo.send(bytes, ip, port),
        });
        for (const [scheme, host] of [["socks5", "127.0.0.1"], ["socks5h", "localhost"]]) {
          const socket = await soon(associate({ proxy: `${scheme}://127.0.0.1:${port}`, runtime }));
          await socket.send(Uint8Array.of(1, 2, 3), `${host}:${echo.address.port}`);
          const { value } = await soon(socket[Symbol.asyncIterator]().next());
          assertEquals([...value!.data], [1, 2, 3]);
          assertEquals(value!.source.port, echo.address.port);
          socket.close();
        }
        echo.close();
      });
    }
  });
}
