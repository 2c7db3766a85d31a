/** Chains and groups of real servers, others' and ours, behind ours. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect as connectTcp } from "node:net";
import { describe, test } from "node:test";
import { createServer } from "node:tls";
import { connect } from "../../src/client/connect.ts";
import { ProxyError } from "../../src/client/proxy_error.ts";
import { currentRuntime } from "../../src/runtime/detect.ts";
import type { Connection, Duplex, Runtime } from "../../src/runtime/runtime.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { serve, type Server } from "../../src/server/server.ts";
import { CERTIFICATE, KEY } from "../client/_certificate.ts";
import { echo } from "../client/_echo.ts";
import { type Peer, PEERS, Resources } from "../client/_servers.ts";
import { type DnsServer, dnsServer } from "../runtime/_dns_server.ts";
import { sendPattern } from "../runtime/_support.ts";
import { eventually, Recorder, soon } from "./_harness.ts";

const runtime = await currentRuntime();
const SIZE = 1 << 20;

/** A server of ours. */
async function start(resources: Resources, options: ServeOptions = {}): Promise<Server> {
  const server = await serve({ listen: "127.0.0.1:0", rules: { request: () => "allow" }, ...options });
  resources.defer(() => server.close());
  return server;
}

function portOf(server: Server): number {
  return (server.addresses[0] as { port: number }).port;
}

const OURS: Pick<Peer, "name" | "start" | "lack"> = {
  name: "ours",
  lack: undefined,
  start: async (resources) => portOf(await start(resources)),
};
const MICROSOCKS = PEERS.find(({ name }) => name === "microsocks")!;
const DANTE = PEERS.find(({ name }) => name === "Dante")!;
const lack = MICROSOCKS.lack ?? DANTE.lack;

async function carries(connection: Connection & Duplex): Promise<void> {
  const sending = sendPattern(connection, SIZE);
  let seen = 0;
  while (seen < SIZE) seen += (await soon(connection.read()))!.length; // microsocks does not pass a half-close on
  await sending;
  assertEquals(seen, SIZE);
  connection.close();
}

/** Asks again and again over one connection, until it breaks. */
async function talk(connection: Connection & Duplex): Promise<number> {
  let rounds = 0;
  try {
    for (;;) {
      await connection.write(new Uint8Array(1000));
      for (let seen = 0; seen < 1000;) {
        const chunk = await connection.read();
        if (chunk === null) return rounds;
        seen += chunk.length;
      }
      rounds++;
    }
  } catch {
    return rounds;
  } finally {
    connection.close();
  }
}

/** Options of a server that takes no lookup of its own. */
function withoutLookups(upstreams: ServeOptions["upstreams"], via: string): ServeOptions {
  return { upstreams, via, resolve: (name) => Promise.reject(new Error(`A lookup of ${name}`)) };
}

describe("chains of three", { skip: lack }, () => {
  if (lack !== undefined) return void test(`(skipped: ${lack})`, { skip: lack }, () => {});

  for (const order of [[MICROSOCKS, DANTE, OURS], [DANTE, OURS, MICROSOCKS], [OURS, MICROSOCKS, DANTE]]) {
    const names = order.map(({ name }) => name).join(", ");
    for (const [killed, peer] of order.entries()) {
      test(`${names}: 1 MiB goes through; under load ${peer.name} is killed, and all sessions end`, async () => {
        await using resources = new Resources();
        const hops = order.map((peer) => ({ peer, its: new Resources() }));
        for (const { its } of hops) resources.use(its);
        const ports = await Promise.all(hops.map(({ peer, its }) => peer.start(its)));
        // Our own server takes HTTP on the same port.
        const proxy = order.map(({ name }, at) => `${name === "ours" ? "http" : "socks5h"}://127.0.0.1:${ports[at]}`);
        const seen = new Recorder();
        const server = await start(resources, { ...withoutLookups({ far: { proxy } }, "far"), observer: seen });
        const front = `socks5h://127.0.0.1:${portOf(server)}`;
        const target = `localhost:${await echo(resources, runtime)}`;
        await carries(await soon(connect(target, { proxy: front, runtime })));

        const talks: Promise<number>[] = [];
        for (let at = 0; at < 6; at++) talks.push(talk(await soon(connect(target, { proxy: front, runtime }))));
        await eventually(() => server.sessions === talks.length, "the sessions");
        await hops[killed]!.its[Symbol.asyncDispose]();
        await soon(Promise.all(talks), "the end of all sessions");
        await eventually(() => server.sessions === 0, "the end of all sessions here");

        const error = await assertRejects(() => soon(connect(target, { proxy: front, runtime })), ProxyError);
        assertEquals(error.reply, 1, "a proxy that is gone is a general failure");
        assertStringIncludes(seen.refusals.at(-1)!.reason, `Cannot go through proxy ${killed === 0 ? 1 : killed}, `);
      });
    }
  }
});

test("fail-over: of three servers two are killed under load, and every request is served", { skip: lack }, async () => {
  await using resources = new Resources();
  const members = [MICROSOCKS, DANTE, OURS].map((peer) => ({ peer, its: new Resources() }));
  for (const { its } of members) resources.use(its);
  const ports = await Promise.all(members.map(({ peer, its }) => peer.start(its)));
  const [a, b, c] = ports.map((port) => ({ proxy: `socks5h://127.0.0.1:${port}` }));
  const upstreams = { a: a!, b: b!, c: c!, any: { group: ["a", "b", "c"] } };
  const seen = new Recorder();
  const server = await start(resources, { ...withoutLookups(upstreams, "any"), observer: seen });
  const front = `socks5h://127.0.0.1:${portOf(server)}`;
  const target = `localhost:${await echo(resources, runtime)}`;

  let isOver = false, served = 0;
  const work = async (): Promise<void> => {
    while (!isOver) {
      const connection = await soon(connect(target, { proxy: front, runtime })).catch((error) => {
        throw new Error(`${seen.refusals.map(({ reason }) => reason)}`, { cause: error });
      });
      served++;
      await connection.write(new Uint8Array(1000));
      await connection.read().catch(() => null); // those that are open when theirs is killed break
      connection.close();
    }
  };
  const workers = [work(), work(), work()];
  const more = async (): Promise<void> => {
    const until = served + 20;
    await Promise.race([eventually(() => served >= until, "more requests"), ...workers]);
  };
  await more();
  for (const { its } of members.slice(0, 2)) {
    await its[Symbol.asyncDispose]();
    await more();
  }
  isOver = true;
  await soon(Promise.all(workers), "the end of the load");
  assertEquals(seen.refusals, []);
  await members[2]!.its[Symbol.asyncDispose]();
  const error = await assertRejects(() => soon(connect(target, { proxy: front, runtime })), ProxyError);
  assertEquals(error.reply, 1);
});

describe("lookups on the wire", () => {
  async function site(resources: Resources) {
    const dns: DnsServer = resources.use(await dnsServer());
    dns.set("site.test", ["A", "127.0.0.1", 60]);
    dns.set("proxy.test", ["A", "127.0.0.1", 60]);
    const resolver = { servers: [dns.text], cache: false as const, timeout: 20_000 };
    // Whatever goes past the configured name servers is seen here.
    const past: string[] = [];
    const watched: Runtime = {
      ...runtime,
      lookup: (name) => (past.push(name), Promise.reject(new Error(`A lookup of ${name}`))),
    };
    const far = await start(resources, { resolver: { hosts: { "site.test": ["127.0.0.1"] } } });
    return {
      dns,
      past,
      far: portOf(far),
      options: { resolver, runtime: watched },
      target: await echo(resources, runtime),
    };
  }

  for (const scheme of ["socks5h", "socks4a", "http"]) {
    test(`${scheme}: none, whatever the client speaks and the rules say of addresses`, async () => {
      await using resources = new Resources();
      const { dns, past, far, options, target } = await site(resources);
      const server = await start(resources, {
        ...options,
        upstreams: { far: { proxy: `${scheme}://127.0.0.1:${far}` } },
        via: "far",
        rules: [{ action: "deny", to: ["metadata", "198.51.100.0/24"] }, { action: "allow" }],
      });
      for (const front of ["socks5h", "socks4a", "http"]) {
        await carries(
          await soon(connect(`site.test:${target}`, { proxy: `${front}://127.0.0.1:${portOf(server)}`, runtime })),
        );
      }
      assertEquals([dns.asked, past], [[], []]);
    });
  }

  test("one for a way that wants addresses, for the direct one, and for the proxy's own name", async () => {
    await using resources = new Resources();
    const { dns, past, far, options, target } = await site(resources);
    const rules = [{ action: "allow" as const, to: ["loopback"] }];
    for (
      const [proxy, asks] of [
        [`socks5://127.0.0.1:${far}`, ["site.test A", "site.test AAAA"]],
        [undefined, ["site.test A", "site.test AAAA"]],
        [`socks5h://proxy.test:${far}`, ["proxy.test A", "proxy.test AAAA"]],
      ] as const
    ) {
      const through = proxy === undefined ? {} : { upstreams: { far: { proxy } }, via: "far" };
      const server = await start(resources, { ...options, rules, ...through });
      dns.asked.length = 0;
      await carries(
        await soon(connect(`site.test:${target}`, { proxy: `socks5h://127.0.0.1:${portOf(server)}`, runtime })),
      );
      assertEquals([...new Set(dns.asked)].sort(), [...asks]);
      assertEquals(past, []);
      await server.close();
    }
  });
});

test("TLS to a proxy, whose certificate must be one that the operator trusts", async () => {
  await using resources = new Resources();
  const inner = await OURS.start(resources);
  const front = createServer({ cert: CERTIFICATE, key: KEY, allowHalfOpen: true } as object, (client) => {
    const inside = connectTcp({ port: inner, host: "127.0.0.1", allowHalfOpen: true });
    client.pipe(inside).pipe(client);
    client.on("error", () => inside.destroy());
    inside.on("error", () => client.destroy());
  });
  front.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  resources.defer(() => front.close());
  const { port } = front.address() as { port: number };
  const target = `localhost:${await echo(resources, runtime)}`;
  for (const scheme of ["https", "http+tls", "socks5h+tls"]) {
    const proxy = `${scheme}://localhost:${port}`;
    const through = async (authorities?: readonly string[]) => {
      const server = await start(resources, { upstreams: { far: { proxy, authorities } }, via: "far" });
      return await soon(connect(target, { proxy: `socks5h://127.0.0.1:${portOf(server)}`, runtime }));
    };
    await carries(await through([CERTIFICATE]));
    assertEquals((await assertRejects(() => through(), ProxyError)).reply, 1);
  }
});

test("through one proxy, and through a chain, the relay is the runtime's own", async () => {
  await using resources = new Resources();
  const ports = [await OURS.start(resources), await OURS.start(resources)];
  const target = await echo(resources, runtime);
  for (const proxy of [ports.slice(0, 1), ports].map((all) => all.map((port) => `http://127.0.0.1:${port}`))) {
    const relayed: boolean[] = [];
    const watched: Runtime = {
      ...runtime,
      relay(job) {
        relayed.push(runtime.relay!(job));
        return relayed.at(-1)!;
      },
    };
    const server = await start(resources, { runtime: watched, upstreams: { far: { proxy } }, via: "far" });
    await carries(
      await soon(connect(`localhost:${target}`, { proxy: `socks5h://127.0.0.1:${portOf(server)}`, runtime })),
    );
    assert(relayed.length === 1 && relayed[0] === true, `${relayed}`);
  }
});
