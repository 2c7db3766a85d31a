import { assert, assertEquals, assertMatch } from "@std/assert";
import { test } from "node:test";
import { formatAddress } from "../../src/net/address.ts";
import type { DatagramInfo, RequestInfo } from "../../src/policy/rules.ts";
import { memory } from "../../src/runtime/memory.ts";
import type { DatagramSocket } from "../../src/runtime/runtime.ts";
import type { Forward } from "../../src/server/forward.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { serve } from "../../src/server/server.ts";
import { Clock } from "./_clock.ts";
import { eventually, type House, house, Recorder, settle, soon } from "./_harness.ts";
import { Network, SERVER_IP, UdpHost } from "./_network.ts";

const DNS = "192.0.2.53:53";
const PORT: Forward = { listen: { address: "127.0.0.1:5300", name: "dns" }, to: DNS, protocol: "udp" };

/** A server that has UDP forwards and nothing else. */
async function forwarding(options: ServeOptions = {}, network = new Network()): Promise<House> {
  return await house({ listen: undefined, open: false, forwards: [PORT], ...options }, network);
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A client of the forward. */
class Client extends UdpHost {
  readonly #to: number;

  constructor({ network }: House, port: number, to = 5300) {
    super(network, "127.0.0.1", port);
    this.#to = to;
  }

  async say(...texts: readonly string[]): Promise<void> {
    for (const text of texts) await this.send(encode(text), "127.0.0.1", this.#to);
  }

  get texts(): string[] {
    return this.got.map(({ text }) => text);
  }
}

/** A target that answers `x` with `x!`. */
function answering(network: Network, ip = "192.0.2.53", port = 53): UdpHost {
  return new UdpHost(network, ip, port, (bytes) => encode(`${new TextDecoder().decode(bytes)}!`));
}

/** The sockets that lead to targets. */
function outgoing(network: Network): string[] {
  return [...network.sockets.keys()].filter((at) => at.startsWith("0.0.0.0:") || at.startsWith("[::]:"));
}

test("datagrams go to the target and back, each client's apart", async () => {
  await using running = await forwarding();
  const dns = answering(running.network);
  const one = new Client(running, 6001), two = new Client(running, 6002);
  await one.say("a", "b");
  await two.say("c");
  await soon(one.until(2));
  await soon(two.until(1));
  await one.say("d");
  await soon(one.until(3));
  assertEquals([one.texts, two.texts], [["a!", "b!", "d!"], ["c!"]]);
  assertEquals(
    new Set([...one.got, ...two.got].map(({ from, port }) => `${from}:${port}`)),
    new Set(["127.0.0.1:5300"]),
  );
  assertEquals(
    dns.got.map(({ text, from }) => `${text} ${from}`).sort(),
    ["a", "b", "c", "d"].map((t) => `${t} ${SERVER_IP}`),
  );
  assertEquals(new Set(dns.got.map(({ port }) => port)).size, 2);
  assertEquals(running.server.sessions, 2);
  const [session] = running.seen.sessions;
  assertEquals(session!.client, { ip: "127.0.0.1", port: 6001 });
  assertEquals([session!.listener, session!.listenerName, session!.isLocal], [
    { ip: "127.0.0.1", port: 5300 },
    "dns",
    true,
  ]);
  assertEquals(running.seen.events.slice(0, 3), [
    "opened",
    `requested forward udp-associate ${DNS}`,
    `connected ${DNS}`,
  ]);
  await running.server.close();
  assertEquals(running.seen.summaries.map(({ sent, received, cause }) => ({ sent, received, cause })), [
    { sent: 3, received: 6, cause: "shutdown" },
    { sent: 1, received: 2, cause: "shutdown" },
  ]);
  assertEquals(outgoing(running.network), []);
});

test("only the target answers: not another of its ports, nor anybody else", async () => {
  await using running = await forwarding();
  const dns = answering(running.network);
  const client = new Client(running, 6001);
  await client.say("a");
  await soon(client.until(1));
  const { from, port } = dns.got[0]!;
  for (const [ip, at] of [["192.0.2.53", 54], ["192.0.2.54", 53]] as const) {
    await new UdpHost(running.network, ip, at).send(encode("forged"), from, port);
  }
  await client.say("b");
  await soon(client.until(2));
  assertEquals(client.texts, ["a!", "b!"]);
});

test("what comes before the way is known waits, as much as it should", async () => {
  const network = new Network();
  let resolved!: (ips: string[]) => void;
  const lookup = new Promise<string[]>((resolve) => resolved = resolve);
  await using running = await forwarding({
    forwards: [{ ...PORT, to: "dns.example:53" }],
    resolve: () => lookup,
  }, network);
  const dns = answering(network);
  const client = new Client(running, 6001);
  await client.say(...Array.from({ length: 20 }, (_, at) => String(at)));
  await running.seen.event("requested");
  resolved(["192.0.2.53"]);
  await soon(client.until(16));
  await client.say("later");
  await soon(client.until(17));
  assertEquals(dns.got.map(({ text }) => text), [...Array.from({ length: 16 }, (_, at) => String(at)), "later"]);
});

test("rules hold: for the request, the target's name, its address, and each datagram", async () => {
  const network = new Network();
  network.names.set("dns.example", [["192.0.2.53"]]);
  answering(network);
  const to = "dns.example:53";
  const named = { ...PORT, to };
  const denied: readonly ServeOptions[] = [
    { rules: [{ action: "deny", commands: ["udp-associate"] }] },
    { rules: [{ action: "deny", to: ["dns.example"] }] },
    { rules: [{ action: "deny", to: ["192.0.2.0/24"] }] },
    { rules: [{ action: "deny", ports: [53], listeners: ["dns"] }] },
    { rules: [{ action: "allow", users: ["*"] }], otherwise: "deny" },
    { rules: { lookup: () => "deny" } },
  ];
  for (const [nth, options] of denied.entries()) {
    await using running = await forwarding({ forwards: [named], ...options }, network);
    const client = new Client(running, 6100 + nth);
    await client.say("a");
    await running.seen.event("refused rules");
    assertEquals(outgoing(network), [], JSON.stringify(options));
  }
  await using running = await forwarding({
    forwards: [named],
    rules: [{ action: "allow", name: "dns", to: ["dns.example"], ports: [53] }],
    otherwise: "deny",
  }, network);
  const client = new Client(running, 6001);
  await client.say("a");
  await soon(client.until(1));
  assertEquals(running.seen.sessions.at(-1)!.rule, "dns");
});

test("a rule for datagrams is asked of each", async () => {
  const asked: string[] = [];
  const datagram = ({ target, size }: DatagramInfo, { protocol }: RequestInfo): "deny" | undefined => {
    asked.push(`${protocol} ${target.host} ${size}`);
    return size > 2 ? "deny" : undefined;
  };
  await using running = await forwarding({ rules: { datagram } });
  const dns = answering(running.network);
  const client = new Client(running, 6001);
  await client.say("a", "long", "bb");
  await soon(client.until(2));
  assertEquals(dns.got.map(({ text }) => text), ["a", "bb"]);
  assertEquals(asked, [1, 4, 2].map((size) => `forward 192.0.2.53 ${size}`));
});

test("a refused client is told of once, not for each of its datagrams", async () => {
  using _clock = new Clock(); // which stands still: it is not let go of
  await using running = await forwarding({ rules: [{ action: "deny" }] });
  const client = new Client(running, 6001);
  await client.say("a", "b", "c");
  await running.seen.event("refused");
  await client.say("d", "e");
  await settle();
  assertEquals(running.seen.events, ["opened", `requested forward udp-associate ${DNS}`, "refused rules"]);
  assertEquals(running.server.sessions, 1);
});

test("limits hold, and a datagram too many is dropped", async () => {
  await using running = await forwarding({
    limits: [{ name: "two", per: "listener", sessions: 2 }],
  });
  answering(running.network);
  const clients = [6001, 6002, 6003].map((port) => new Client(running, port));
  for (const client of clients) await client.say("a");
  await soon(clients[0]!.until(1));
  await soon(clients[1]!.until(1));
  await running.seen.event("refused rules");
  assertMatch(running.seen.refusals[0]!.reason, /limit "two"/);
});

test("silence ends a client's session, which is how it should end", async () => {
  await using running = await forwarding({ forwards: [{ ...PORT, idle: 60 }] });
  answering(running.network);
  const client = new Client(running, 6001);
  await client.say("a");
  await soon(client.until(1));
  const { cause, reason, sent, received } = await running.seen.summary();
  assertEquals({ cause, reason, sent, received }, { cause: "finished", reason: undefined, sent: 1, received: 2 });
  assertEquals([outgoing(running.network), running.server.sessions], [[], 0]);
  await client.say("b");
  await soon(client.until(2));
});

test("`timeouts.idle` holds as well, and a limit's", async () => {
  for (const options of [{ timeouts: { idle: 50 } }, { limits: [{ idle: 50 }] }]) {
    await using running = await forwarding({ ...options, forwards: [{ ...PORT, idle: 0 }] });
    answering(running.network);
    await new Client(running, 6001).say("a");
    assertEquals((await running.seen.summary()).cause, "finished");
  }
});

test("when all associations are in use the quietest client gives way", async () => {
  await using running = await forwarding({ bounds: { associations: 3 } });
  answering(running.network);
  const clients = [6001, 6002, 6003].map((port) => new Client(running, port));
  for (const client of clients) {
    await client.say("a");
    await soon(client.until(1));
  }
  const fourth = new Client(running, 6004); // all have been heard since anybody looked: the first in turn goes
  await fourth.say("a");
  await soon(fourth.until(1));
  await running.seen.summary();
  assertEquals(running.seen.summaries.map(({ cause }) => cause), ["finished"]);
  for (const client of [clients[2]!, fourth]) {
    await client.say("b");
    await soon(client.until(2));
  }
  const fifth = new Client(running, 6005);
  await fifth.say("a");
  await soon(fifth.until(1));
  assertEquals(running.server.sessions, 3);
  assertEquals(outgoing(running.network).length, 3);
});

test("without room, and nobody of its own to give way, a forward drops", async () => {
  const network = new Network();
  for (const bounds of [{ associations: 0 }, { associations: 1 }]) {
    const forwards = [PORT, { ...PORT, listen: "127.0.0.1:5301" }];
    await using running = await forwarding({ bounds, forwards }, network);
    const dns = answering(network, "192.0.2.53", 53);
    const one = new Client(running, 6001);
    await one.say("one");
    if (bounds.associations > 0) await soon(one.until(1));
    const two = new Client(running, 6002, 5301);
    await two.say("two");
    await settle();
    assertEquals(dns.got.map(({ text }) => text), bounds.associations > 0 ? ["one"] : []);
    network.sockets.clear();
  }
});

test("a reload: what stays is open all the while, another target is for new clients", async () => {
  const network = new Network();
  await using running = await forwarding({}, network);
  const { server, seen } = running;
  answering(network);
  const other = answering(network, "192.0.2.54", 53);
  const before = new Client(running, 6001);
  await before.say("a");
  await soon(before.until(1));
  const socket = network.sockets.get("127.0.0.1:5300");
  const moved = { runtime: network, observer: seen, forwards: [{ ...PORT, to: "192.0.2.54:53" }] };
  await server.reload(moved);
  assertEquals(network.sockets.get("127.0.0.1:5300"), socket);
  assertEquals(server.forwards.map(({ to }) => to), ["192.0.2.54:53"]);
  const after = new Client(running, 6002);
  await after.say("b");
  await soon(after.until(1));
  assertEquals(other.got.map(({ text }) => text), ["b"]);
  await before.say("c"); // it goes on as it began
  await soon(before.until(2));
  assertEquals(other.got.length, 1);
  await server.reload(moved, { sessions: "recheck" });
  await eventually(() => seen.summaries.length === 1, "the end of the first session");
  assertEquals(seen.summaries[0]!.cause, "revoked");
  assertMatch(seen.summaries[0]!.reason!, /there is no such forward any more/);
  await before.say("d");
  await soon(before.until(3));
  assertEquals(other.got.map(({ text }) => text), ["b", "d"]);
});

test("a forward that is no more answers the clients that it has, and is closed after the last", async () => {
  using clock = new Clock();
  const network = new Network();
  await using running = await forwarding({ forwards: [{ ...PORT, idle: 400 }] }, network);
  const { server, seen } = running;
  answering(network);
  const client = new Client(running, 6001);
  await client.say("a");
  await soon(client.until(1));
  const without = { runtime: network, observer: seen, listen: "127.0.0.1:1080" };
  await server.reload(without);
  assertEquals(server.forwards, []);
  await new Client(running, 6002).say("nobody listens");
  await client.say("b");
  await soon(client.until(2));
  assertEquals(server.sessions, 1);
  // It may come back meanwhile, at the same place.
  await server.reload({ ...without, forwards: [PORT] });
  const late = new Client(running, 6003);
  await late.say("c");
  await soon(late.until(1));
  await server.reload(without);
  await clock.advance(5_000);
  await eventually(() => seen.summaries.length > 0, "the end of the first client");
  await server.close();
  assertEquals(network.sockets.has("127.0.0.1:5300"), false);
});

test("a drain takes no new clients, and lets those go that are silent for a moment", async () => {
  const network = new Network();
  const running = await forwarding({}, network);
  const { server } = running;
  answering(network);
  const client = new Client(running, 6001);
  await client.say("a");
  await soon(client.until(1));
  const drained = server.drain();
  await new Client(running, 6002).say("too late");
  await client.say("b");
  await soon(client.until(2));
  assertEquals(server.sessions, 1);
  await soon(drained);
  assertEquals(running.seen.summaries.map(({ cause }) => cause), ["finished"]);
  assertEquals(network.sockets.has("127.0.0.1:5300"), false);
});

test("a target that cannot be looked up is tried again later", async () => {
  const network = new Network();
  await using running = await forwarding({ forwards: [{ ...PORT, to: "dns.example:53" }] }, network);
  const client = new Client(running, 6001);
  await client.say("a");
  await running.seen.event("refused network");
  network.names.set("dns.example", [["192.0.2.53"]]);
  answering(network);
  await running.seen.summary();
  await client.say("b");
  await soon(client.until(1));
});

test("a lookup or a socket that comes too late is let go of", async () => {
  const network = new Network();
  let resolved!: (ips: string[]) => void;
  const lookup = new Promise<string[]>((resolve) => resolved = resolve);
  const running = await forwarding({ forwards: [{ ...PORT, to: "dns.example:53" }], resolve: () => lookup }, network);
  await new Client(running, 6001).say("a");
  await running.seen.event("requested");
  await running.server.close();
  resolved(["192.0.2.53"]);
  await settle();
  assertEquals(outgoing(network), []);
  assertEquals((await running.seen.summary()).cause, "shutdown");
});

test("a UDP forward of its own leads nowhere", async () => {
  await using running = await forwarding({
    forwards: [{ ...PORT, listen: "127.0.0.1:5300", to: "127.0.0.1:5300" }],
    otherwise: "allow",
  });
  await new Client(running, 6001).say("round and round");
  await running.seen.event("refused rules");
  assertEquals(running.server.sessions, 1);
  assert(formatAddress(running.server.forwards[0]!.address) === "127.0.0.1:5300");
});

test("datagrams leave by a way out, which looks the name up, and end with it", async () => {
  const runtime = memory({ hosts: { "dns.example": ["127.0.0.53"] } });
  const bind = async (port: number, ip: string, answer?: (text: string) => string) => {
    const got: string[] = [];
    const socket: DatagramSocket = await runtime.bindDatagram({
      address: { ip, port },
      onDatagram: (bytes, from, at) => {
        const text = new TextDecoder().decode(bytes);
        got.push(text);
        if (answer !== undefined) socket.send(encode(answer(text)), from, at);
      },
    });
    return { got, socket };
  };
  const dns = await bind(53, "127.0.0.53", (text) => `${text}!`);
  const seen = new Recorder();
  const proxy = await serve({ runtime, listen: "127.0.0.1:1080" });
  await using server = await serve({
    runtime,
    forwards: [{ ...PORT, to: "dns.example:53" }],
    upstreams: { out: { proxy: "socks5h://127.0.0.1:1080" } },
    via: "out",
    resolve: (name) => Promise.reject(new Error(`${name} was looked up`)),
    observer: seen,
  });
  const client = await bind(6001, "127.0.0.1");
  const say = (text: string) => client.socket.send(encode(text), "127.0.0.1", 5300);
  say("a");
  say("b");
  await eventually(() => client.got.length === 2, "two answers");
  assertEquals([client.got, dns.got], [["a!", "b!"], ["a", "b"]]);
  assertEquals(proxy.sessions, 1);
  await proxy.close();
  const { cause, reason, sent, received } = await seen.summary();
  assertEquals({ cause, reason, sent, received }, {
    cause: "reset",
    reason: "The way out has ended",
    sent: 2,
    received: 4,
  });
  await using _again = await serve({ runtime, listen: "127.0.0.1:1080" });
  say("c");
  await eventually(() => client.got.length === 3, "the next answer");
  assertEquals(server.sessions, 1);
});

test("a way out that carries no datagrams refuses, and is not asked for each", async () => {
  const network = new Network();
  for (const [via, cause] of [["http", "network"], ["block", "rules"]] as const) {
    await using running = await forwarding({
      upstreams: { http: { proxy: "http://127.0.0.1:8080" } },
      forwards: [{ ...PORT, via }],
    }, network);
    await new Client(running, via === "http" ? 6001 : 6002).say("a", "b");
    await running.seen.event(`refused ${cause}`);
    await settle();
    assertEquals(running.seen.refusals.length, 1);
  }
  assertEquals(network.attempts, []);
});
