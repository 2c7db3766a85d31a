import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import { associate } from "../../src/client/associate.ts";
import type { DatagramTunnel, ReceivedDatagram } from "../../src/client/datagram_tunnel.ts";
import { ProxyError } from "../../src/client/proxy_error.ts";
import { type Behind, behind, FRONT, HOSTS } from "./_behind.ts";
import { eventually, settle, soon } from "./_harness.ts";

/** A client with an open association. */
async function associated({ client }: Behind) {
  const socket = await soon(associate({ proxy: `socks5h://${FRONT}`, runtime: client }));
  const incoming = socket[Symbol.asyncIterator]();
  return {
    socket,
    send: (text: string, to: string) => socket.send(new TextEncoder().encode(text), to),
    next: async () => told((await soon(incoming.next(), "a datagram")).value!),
  };
}

function told({ data, source }: ReceivedDatagram): string {
  return `${new TextDecoder().decode(data)} of ${source.host}:${source.port}`;
}

const requests = ({ proxies }: Behind, which = 0) =>
  proxies[which]!.seen.events.filter((event) => event.startsWith("requested"));

test("datagrams go by the way out, to addresses and to names; no name is looked up here", async () => {
  await using at = await behind();
  const dns = await at.host("198.51.100.53", 53);
  const { socket, send, next } = await associated(at);
  await send("one", "198.51.100.53:53");
  assertEquals(await next(), "got one of 198.51.100.53:53");
  await send("two", "dns.test:53");
  assertEquals(await next(), "got two of 198.51.100.53:53");
  assertEquals(dns.got, ["one from 192.0.2.11", "two from 192.0.2.11"]);
  assertEquals(at.lookups, []);
  socket.close();
});

test("with a way that leaves names here they are looked up here, once, and the rules see their addresses", async () => {
  await using at = await behind({ rules: [{ action: "deny", to: ["198.51.100.99"] }] }, { scheme: "socks5" });
  const dns = await at.host("198.51.100.53", 53);
  const { socket, send, next } = await associated(at);
  for (const text of ["one", "two"]) {
    await send(text, "dns.test:53");
    assertEquals(await next(), `got ${text} of 198.51.100.53:53`);
  }
  assertEquals([at.lookups, dns.got.length], [["dns.test"], 2]);
  socket.close();
});

test("the way is opened by the first datagram, once, and closed with the association", async () => {
  await using at = await behind();
  await at.host("198.51.100.53", 53);
  await at.host("198.51.100.54", 53);
  const { socket, send, next } = await associated(at);
  await settle();
  assertEquals(requests(at), []);
  for (const to of ["198.51.100.53:53", "198.51.100.54:53", "dns.test:53"]) {
    await send("x", to);
    await next();
  }
  assertEquals(requests(at), ["requested socks5 udp-associate 0.0.0.0:0"]);
  socket.close();
  assertEquals((await at.proxies[0]!.seen.summary()).cause, "finished");
  assertEquals((await at.seen.summary()).sent, 3);
});

test("a chain carries them, too", async () => {
  await using at = await behind({ upstreams: { up: { proxy: ["socks5h://192.0.2.11", "socks5h://192.0.2.12"] } } });
  const dns = await at.host("198.51.100.53", 53);
  const { socket, send, next } = await associated(at);
  await send("one", "dns.test:53");
  assertEquals(await next(), "got one of 198.51.100.53:53");
  assertEquals(dns.got, ["one from 192.0.2.12"]);
  socket.close();
  for (const { seen } of at.proxies) await seen.summary();
});

test("a group takes a member that can", async () => {
  await using at = await behind({
    upstreams: {
      old: { proxy: "socks4a://192.0.2.11" },
      new: { proxy: "socks5h://192.0.2.12" },
      up: { group: ["old", "direct", "new"] },
    },
  });
  const dns = await at.host("198.51.100.53", 53);
  const { socket, send, next } = await associated(at);
  await send("one", "198.51.100.53:53");
  assertEquals(await next(), "got one of 198.51.100.53:53");
  assertEquals(dns.got, ["one from 192.0.2.12"]);
  socket.close();
});

test("users are told apart at the proxy", async () => {
  const users = ["ada", "bob"].map((name) => ({ name, password: name }));
  await using at = await behind({
    users,
    upstreams: { up: { proxy: "socks5h://192.0.2.11", isolate: { user: "{user}-x", password: "y" } } },
  }, { proxy: { authenticate: ({ username }) => ({ name: username }) } });
  await at.host("198.51.100.53", 53);
  for (const { name } of users) {
    const proxy = `socks5h://${name}:${name}@${FRONT}`;
    await using socket = await soon(associate({ proxy, runtime: at.client }));
    await socket.send(new Uint8Array(1), "198.51.100.53:53");
    await soon(socket[Symbol.asyncIterator]().next());
  }
  const names = at.proxies[0]!.seen.events.filter((event) => event.startsWith("authenticated"));
  assertEquals(names, ["authenticated ada-x", "authenticated bob-x"]);
});

test("rules choose a way for each destination", async () => {
  await using at = await behind({
    rules: [
      { action: "allow", to: ["198.51.100.54", "peer.test"], via: "other" },
      { action: "allow", to: ["198.51.100.55"], via: "direct" },
      { action: "allow", to: ["198.51.100.56"], via: "block" },
    ],
  });
  const hosts = [];
  for (const last of [53, 54, 55, 56, 7]) hosts.push(await at.host(`198.51.100.${last}`, 53));
  const { socket, send, next } = await associated(at);
  for (const to of ["198.51.100.53", "198.51.100.54", "198.51.100.55", "peer.test"]) {
    await send("x", `${to}:53`);
    assertEquals(await next(), `got x of ${HOSTS[to]?.[0] ?? to}:53`);
  }
  await send("x", "198.51.100.56:53");
  await settle();
  assertEquals(hosts.map(({ got }) => got), [
    ["x from 192.0.2.11"],
    ["x from 192.0.2.12"],
    [`x from ${FRONT}`],
    [],
    ["x from 192.0.2.12"],
  ]);
  assertEquals([requests(at, 0).length, requests(at, 1).length, at.lookups], [1, 1, []]);
  socket.close();
});

test("what the rules deny opens nothing", async () => {
  await using at = await behind({ rules: [{ action: "deny", to: ["dns.test", "198.51.100.54"] }] });
  const { socket, send } = await associated(at);
  for (const to of ["dns.test:53", "198.51.100.54:53", "10.0.0.53:53", "localhost:53"]) await send("x", to);
  await settle();
  assertEquals([requests(at), at.lookups], [[], []]);
  socket.close();
});

describe("who was sent nothing", () => {
  /** A stranger sends to where the proxy takes answers for the client. */
  async function stranger(at: Behind, { send, next }: Awaited<ReturnType<typeof associated>>, ip: string) {
    let port = 0;
    const dns = await at.base.bindDatagram({
      address: { ip: "198.51.100.53", port: 53 },
      onDatagram: (bytes, from, at) => {
        port = at;
        dns.send(bytes, from, at);
      },
    });
    await send("first", "198.51.100.53:53");
    await next();
    const socket = await at.base.bindDatagram({ address: { ip, port: 99 }, onDatagram: () => {} });
    socket.send(new TextEncoder().encode("hello"), "192.0.2.11", port);
    await settle();
    await send("last", "198.51.100.53:53");
    const came = await next();
    dns.close();
    socket.close();
    return came;
  }

  test("may reach the client if the rules allow it", async () => {
    await using at = await behind();
    const client = await associated(at);
    assertEquals(await stranger(at, client, "198.51.100.99"), "hello of 198.51.100.99:99");
    client.socket.close();
  });

  test("may not if they deny it, or the safe defaults do", async () => {
    for (const ip of ["198.51.100.99", "10.0.0.99"]) {
      await using at = await behind({ rules: [{ action: "deny", to: ["198.51.100.99"] }] });
      const client = await associated(at);
      assertEquals(await stranger(at, client, ip), "last of 198.51.100.53:53");
      client.socket.close();
    }
  });

  test("answers for a name, whatever its address is there", async () => {
    await using at = await behind({ rules: [{ action: "allow", to: ["office.test"] }], otherwise: "deny" });
    await at.host("10.0.0.53", 53);
    const { socket, send, next } = await associated(at);
    await send("one", "office.test:53");
    assertEquals(await next(), "got one of 10.0.0.53:53");
    socket.close();
  });
});

describe("refused are associations", () => {
  async function reply(options: Parameters<typeof behind>[0]): Promise<number | undefined> {
    await using at = await behind(options);
    const opening = associate({ proxy: `socks5h://${FRONT}`, runtime: at.client });
    return (await assertRejects(() => soon(opening as Promise<DatagramTunnel>), ProxyError)).reply;
  }

  for (
    const proxy of ["socks4a://192.0.2.11", "http://192.0.2.11:8080", ["socks4://192.0.2.12", "socks5h://192.0.2.11"]]
  ) {
    test(`whose way out cannot carry datagrams (07): ${proxy}`, async () => {
      assertEquals(await reply({ upstreams: { up: { proxy } } }), 7);
    });
  }

  test("that no rule of functions could send another way (07)", async () => {
    const upstreams = { up: { proxy: "socks4a://192.0.2.11" } };
    assertEquals(await reply({ upstreams, rules: { request: () => "allow" } }), 7);
    assertEquals(
      await reply({ upstreams, rules: { request: () => ({ allow: "always", via: "up" }), address: () => "allow" } }),
      7,
    );
  });

  test("whose way out is `block` (02), by default or by a rule", async () => {
    assertEquals(await reply({ via: "block" }), 2);
    assertEquals(await reply({ rules: [{ action: "allow", commands: ["udp-associate"], via: "block" }] }), 2);
  });
});

test("a way that cannot carry datagrams does not hinder those of which a rule says another", async () => {
  await using at = await behind({
    upstreams: { up: { proxy: "socks4a://192.0.2.11" } },
    rules: [{ action: "allow", to: ["198.51.100.53"], via: "direct" }],
  });
  const hosts = [await at.host("198.51.100.53", 53), await at.host("198.51.100.54", 53)];
  const { socket, send, next } = await associated(at);
  await send("lost", "198.51.100.54:53");
  await send("one", "198.51.100.53:53");
  assertEquals(await next(), "got one of 198.51.100.53:53");
  assertEquals(hosts.map(({ got }) => got), [[`one from ${FRONT}`], []]);
  socket.close();
  const { reason } = await at.seen.summary();
  assertEquals(reason, 'Cannot send datagrams: the way out "up" has no means to');
});

test("a proxy that cannot be reached loses datagrams, and nothing else; why is told at the end", async () => {
  await using at = await behind({
    upstreams: { up: { proxy: "socks5h://192.0.2.13" }, other: { proxy: "socks5h://192.0.2.12" } },
    rules: [{ action: "allow", to: ["198.51.100.54"], via: "other" }],
  });
  await at.host("198.51.100.54", 53);
  const { socket, send, next } = await associated(at);
  await send("lost", "198.51.100.53:53");
  await send("one", "198.51.100.54:53");
  assertEquals(await next(), "got one of 198.51.100.54:53");
  socket.close();
  const { cause, reason } = await at.seen.summary();
  assertEquals(cause, "finished");
  assertMatch(reason!, /^Cannot go through proxy 1, "socks5h:\/\/192\.0\.2\.13:1080" \(dial\): .*refused/);
});

test("after a reload that asks again datagrams take the new way, and the old one is closed", async () => {
  await using at = await behind();
  const dns = await at.host("198.51.100.53", 53);
  const { socket, send, next } = await associated(at);
  await send("one", "198.51.100.53:53");
  await next();
  const upstreams = { new: { proxy: "socks5h://192.0.2.12" } };
  await soon(at.front.reload(at.options({ upstreams, via: "new" }), { sessions: "recheck" }));
  await at.proxies[0]!.seen.summary();
  await send("two", "198.51.100.53:53");
  assertEquals(await next(), "got two of 198.51.100.53:53");
  assertEquals(dns.got, ["one from 192.0.2.11", "two from 192.0.2.12"]);
  socket.close();
});

test("a way that stays over a reload goes on as it is", async () => {
  await using at = await behind();
  await at.host("198.51.100.53", 53);
  const { socket, send, next } = await associated(at);
  await send("one", "198.51.100.53:53");
  await next();
  await soon(at.front.reload(at.options({}), { sessions: "recheck" }));
  await send("two", "198.51.100.53:53");
  assertEquals(await next(), "got two of 198.51.100.53:53");
  assertEquals(requests(at).length, 1);
  socket.close();
});

test("the end of the server's session ends what it has at the proxy, also while that is being opened", async () => {
  await using at = await behind({ upstreams: { up: { proxy: "socks5h://192.0.2.13" } } });
  const silent = await at.base.listen({ address: { ip: "192.0.2.13", port: 1080 } });
  const taken = silent[Symbol.asyncIterator]().next();
  const { socket, send } = await associated(at);
  await send("x", "198.51.100.53:53");
  const { value } = await soon(taken, "a connection to the proxy");
  socket.close();
  let isOver = false;
  value!.closed.then(() => isOver = true);
  await eventually(() => isOver, "the end of the connection to the proxy");
  silent.close();
});
