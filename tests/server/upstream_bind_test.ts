import { assertEquals, assertRejects } from "@std/assert";
import { describe, test } from "node:test";
import { bind, type Binding } from "../../src/client/bind.ts";
import { ProxyError } from "../../src/client/proxy_error.ts";
import type { Connection, Duplex } from "../../src/runtime/runtime.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import { act } from "../client/_script.ts";
import { type Behind, behind, FRONT, machine } from "./_behind.ts";
import { soon } from "./_harness.ts";

const PEER = "198.51.100.7";

const listening = ({ client }: Behind, expected?: string, scheme = "socks5h"): Promise<Binding> =>
  soon(bind(expected, { proxy: `${scheme}://${FRONT}`, runtime: client }), "the first reply");

/** Somebody comes to where the binding says. */
async function come({ base }: Behind, { address }: Binding, ip = PEER): Promise<Connection & Duplex> {
  return duplexOf(await machine(base, ip).connect({ ip: address.host, port: address.port }));
}

async function hears(connection: Connection & Duplex, text: string): Promise<void> {
  assertEquals(new TextDecoder().decode((await soon(connection.read(), text))!), text);
}

const say = (connection: Duplex, text: string) => connection.write(new TextEncoder().encode(text));

for (const scheme of ["socks4", "socks4a", "socks5", "socks5h"]) {
  for (const up of ["socks4a", "socks5h", "socks5"]) {
    test(`${scheme} through ${up}: the proxy's address, then the peer; both ways`, async () => {
      await using at = await behind({}, { scheme: up });
      const binding = await listening(at, `${PEER}:1`, scheme);
      assertEquals(binding.address.host, "192.0.2.11");
      const accepting = binding.accept();
      const peer = await come(at, binding);
      await say(peer, "early");
      const { connection, peer: who } = await soon(accepting, "the second reply");
      assertEquals([who.host, who.port], [PEER, peer.local!.port]);
      await hears(connection, "early");
      await say(connection, "answer");
      await hears(peer, "answer");
      peer.closeWrite();
      assertEquals(await soon(connection.read()), null);
      connection.close();
      const { sent, received, cause } = await at.seen.summary();
      assertEquals([sent, received, cause], [6, 5, "finished"]);
      await at.proxies[0]!.seen.summary();
    });
  }
}

test("what the client sends before the peer is there reaches it", async () => {
  await using at = await behind();
  const wire = duplexOf(await at.client.connect({ ip: FRONT, port: 1080 }));
  await wire.write(Uint8Array.of(5, 1, 0));
  await wire.read();
  await wire.write(Uint8Array.of(5, 2, 0, 1, 198, 51, 100, 7, 0, 1));
  const reply = (await soon(wire.read(), "the first reply"))!;
  await say(wire, "early");
  const peer = duplexOf(
    await machine(at.base, PEER).connect({ ip: "192.0.2.11", port: reply[8]! * 256 + reply[9]! }),
  );
  await hears(peer, "early");
  wire.close();
  peer.close();
});

test("a chain listens at its end", async () => {
  await using at = await behind({ upstreams: { up: { proxy: ["socks5h://192.0.2.11", "socks5h://192.0.2.12"] } } });
  const binding = await listening(at, PEER + ":1");
  assertEquals(binding.address.host, "192.0.2.12");
  const accepting = binding.accept();
  const peer = await come(at, binding);
  const { connection } = await soon(accepting);
  await say(peer, "hello");
  await hears(connection, "hello");
  connection.close();
  peer.close();
});

describe("the expected peer's name", () => {
  test("is left to the proxy with `socks5h`", async () => {
    await using at = await behind();
    const binding = await listening(at, "peer.test:1");
    const accepting = binding.accept();
    (await come(at, binding)).close();
    assertEquals((await soon(accepting)).peer.host, PEER);
    assertEquals(at.lookups, []);
    assertEquals(at.proxies[0]!.seen.events[1], "requested socks5 bind peer.test:1");
  });

  test("is looked up here with `socks5`", async () => {
    await using at = await behind({}, { scheme: "socks5" });
    const binding = await listening(at, "peer.test:1");
    const accepting = binding.accept();
    (await come(at, binding)).close();
    assertEquals((await soon(accepting)).peer.host, PEER);
    assertEquals(at.lookups, ["peer.test"]);
    assertEquals(at.proxies[0]!.seen.events[1], `requested socks5 bind ${PEER}:1`);
  });
});

describe("a peer is refused (02)", () => {
  async function refused(at: Behind, expected: string | undefined, from: string): Promise<number | undefined> {
    const binding = await listening(at, expected);
    const accepting = binding.accept();
    await come(at, binding, from);
    const error = await assertRejects(() => soon(accepting), ProxyError);
    await at.proxies[0]!.seen.summary();
    return error.reply;
  }

  test("by the proxy, if it is not the expected one", async () => {
    await using at = await behind();
    assertEquals(await refused(at, `${PEER}:1`, "198.51.100.8"), 2);
  });

  test("here, if the rules deny it", async () => {
    await using at = await behind({ rules: [{ action: "deny", to: ["198.51.100.8"] }] });
    assertEquals(await refused(at, undefined, "198.51.100.8"), 2);
  });

  test("here, by the safe defaults", async () => {
    await using at = await behind();
    assertEquals(await refused(at, undefined, "10.0.0.8"), 2);
  });

  test("here, if the proxy says that another came", async () => {
    await using at = await behind({ upstreams: { up: { proxy: "socks5h://192.0.2.13" } } });
    const listener = await at.base.listen({ address: { ip: "192.0.2.13", port: 1080 } });
    scripted(listener, "05 00 00 01 c0 00 02 0d 00 09", "05 00 00 01 c6 33 64 08 00 09");
    const binding = await listening(at, `${PEER}:1`);
    assertEquals((await assertRejects(() => soon(binding.accept()), ProxyError)).reply, 2);
    listener.close();
  });
});

/** A proxy that greets, and answers a request for IPv4 with what it is told. */
async function scripted(listener: AsyncIterable<Connection>, ...replies: string[]): Promise<void> {
  for await (const connection of listener) {
    const [first = "end", second] = replies;
    act(duplexOf(connection), [[3, "05 00"], [10, second === undefined ? first : `${first} ${second}`]], []);
  }
}

describe("refused at once is what", () => {
  async function reply(options: Parameters<typeof behind>[0], expected?: string, scheme?: string) {
    await using at = await behind(options);
    return (await assertRejects(() => listening(at, expected, scheme), ProxyError)).reply;
  }

  test("leaves by `block` (02)", async () => {
    assertEquals(await reply({ via: "block" }), 2);
    assertEquals(await reply({ via: "block" }, `${PEER}:1`), 2);
  });

  test("the way out cannot do (07)", async () => {
    assertEquals(await reply({ upstreams: { up: { proxy: "http://192.0.2.11:8080" } } }), 7);
  });

  test("no proxy is there for (01)", async () => {
    assertEquals(await reply({ upstreams: { up: { proxy: "socks5h://192.0.2.13" } } }, `${PEER}:1`), 1);
  });

  test("the rules deny, before anybody is asked (02)", async () => {
    assertEquals(await reply({ rules: [{ action: "deny", to: [PEER] }] }, `${PEER}:1`), 2);
    assertEquals(await reply({ rules: [{ action: "deny", to: ["peer.test"] }] }, "peer.test:1"), 2);
    assertEquals(await reply({}, "10.0.0.1:1"), 2);
  });

  for (const code of [1, 2, 3, 4, 5, 6, 7, 8]) {
    test(`the proxy refuses, as it does (0${code})`, async () => {
      await using at = await behind({ upstreams: { up: { proxy: "socks5h://192.0.2.13" } } });
      const listener = await at.base.listen({ address: { ip: "192.0.2.13", port: 1080 } });
      scripted(listener, `05 0${code} 00 01 00 00 00 00 00 00`);
      assertEquals((await assertRejects(() => listening(at, `${PEER}:1`), ProxyError)).reply, code);
      listener.close();
    });
  }

  test("SOCKS4 cannot state: where the peer is to come, if that is no IPv4 address", async () => {
    await using at = await behind({ upstreams: { up: { proxy: "socks5h://192.0.2.13" } } });
    const listener = await at.base.listen({ address: { ip: "192.0.2.13", port: 1080 } });
    scripted(listener, "05 00 00 04 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 00 09");
    assertEquals((await assertRejects(() => listening(at, `${PEER}:1`, "socks4"), ProxyError)).reply, 91);
    listener.close();
  });
});

test("zeros of the proxy are its own address", async () => {
  await using at = await behind({ upstreams: { up: { proxy: "socks5h://192.0.2.13" } } });
  const listener = await at.base.listen({ address: { ip: "192.0.2.13", port: 1080 } });
  scripted(listener, "05 00 00 01 00 00 00 00 00 09");
  const binding = await listening(at, `${PEER}:1`);
  assertEquals(binding.address, { type: "ipv4", host: "192.0.2.13", port: 9 });
  binding.close();
  listener.close();
});

describe("while the peer is awaited", () => {
  test("a client that leaves ends it at the proxy", async () => {
    await using at = await behind();
    (await listening(at)).close();
    assertEquals((await at.seen.summary()).cause, "vanished");
    await at.proxies[0]!.seen.summary();
  });

  test("the time may be over (06), and ends it at the proxy", async () => {
    await using at = await behind({ timeouts: { bind: 20 } });
    const binding = await listening(at);
    assertEquals((await assertRejects(() => soon(binding.accept()), ProxyError)).reply, 6);
    await at.proxies[0]!.seen.summary();
  });

  test("the proxy's time may be over, as it says (06)", async () => {
    await using at = await behind({}, { proxy: { timeouts: { bind: 20 } } });
    const binding = await listening(at);
    assertEquals((await assertRejects(() => soon(binding.accept()), ProxyError)).reply, 6);
  });

  test("the proxy may end (01)", async () => {
    await using at = await behind();
    const binding = await listening(at);
    await soon(at.proxies[0]!.server.close());
    assertEquals((await assertRejects(() => soon(binding.accept()), ProxyError)).reply, 1);
  });

  test("the server may end, and ends it at the proxy", async () => {
    await using at = await behind();
    const binding = await listening(at);
    await soon(at.front.close());
    await assertRejects(() => soon(binding.accept()), ProxyError);
    await at.proxies[0]!.seen.summary();
  });
});

test("a client that leaves while the proxy is asked ends that", async () => {
  await using at = await behind({ upstreams: { up: { proxy: "socks5h://192.0.2.13" } } });
  const silent = await at.base.listen({ address: { ip: "192.0.2.13", port: 1080 } });
  const taken = silent[Symbol.asyncIterator]().next();
  const controller = new AbortController();
  const opening = bind(undefined, { proxy: `socks5h://${FRONT}`, runtime: at.client, signal: controller.signal });
  opening.catch(() => {});
  const { value } = await soon(taken, "a connection to the proxy");
  await soon(at.front.close());
  const proxy = duplexOf(value!);
  // Its greeting may be there yet; no more comes.
  const rest = async () => {
    while (await proxy.read() !== null);
  };
  await soon(rest().catch(() => {}), "the end of the connection to the proxy");
  controller.abort();
  silent.close();
});
