import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import { encodeDatagram } from "../../src/protocol/udp.ts";
import { targetOf } from "../../src/protocol/address.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { Clock } from "./_clock.ts";
import { eventually, FAR, hex, type House, house, NEAR, settle, soon, type Wire } from "./_harness.ts";
import { Network, UdpHost } from "./_network.ts";

const ASSOCIATE = [5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0];
const RELAY = { ip: "192.0.2.1", port: 40_000 };
const DNS = "93.184.216.34";

const to = (host: string, port: number, data: string, fragment = 0): Uint8Array =>
  encodeDatagram({ fragment, target: targetOf(host, port), data: new TextEncoder().encode(data) });

interface Scene extends AsyncDisposable {
  readonly running: House;
  readonly network: Network;
  readonly control: Wire;
  /** The client's socket. */
  readonly client: UdpHost;
  /** A server that answers `got …`. */
  readonly dns: UdpHost;
  /** Sends from the client through the relay. */
  send(host: string, port: number, data: string, fragment?: number): Promise<void>;
}

/** An association that is up, with a client that sends from `FAR.ip`:7000. */
async function associated(options: ServeOptions = {}, request = ASSOCIATE): Promise<Scene> {
  const network = new Network();
  const running = await house(options, network);
  const control = running.client();
  await control.send(request);
  await control.expect("05 00 05 00 00 01 c0 00 02 01 9c 40");
  const client = new UdpHost(network, FAR.ip, 7000);
  const answer = (bytes: Uint8Array) => new TextEncoder().encode(`got ${new TextDecoder().decode(bytes)}`);
  const dns = new UdpHost(network, DNS, 53, answer);
  return {
    running,
    network,
    control,
    client,
    dns,
    send: (host, port, data, fragment) => client.send(to(host, port, data, fragment), RELAY.ip, RELAY.port),
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

test("a datagram goes out, its answer comes back with its sender in the header", async () => {
  await using scene = await associated();
  await scene.send(DNS, 53, "query");
  await soon(scene.client.until(1));
  assertEquals(scene.dns.got[0]!.text, "query");
  assertEquals(hex(scene.client.got[0]!.bytes), hex(to(DNS, 53, "got query")));
  assertEquals([scene.client.got[0]!.from, scene.client.got[0]!.port], [RELAY.ip, RELAY.port]);
  assertEquals(scene.running.seen.events, [
    "opened",
    "requested socks5 udp-associate 0.0.0.0:0",
    "connected 192.0.2.1:40000",
  ]);
});

test("a target sees one source, whatever else the client talks to", async () => {
  await using scene = await associated();
  const other = new UdpHost(scene.network, "8.8.8.8", 53);
  await scene.send(DNS, 53, "a");
  await scene.send("8.8.8.8", 53, "b");
  await soon(other.until(1));
  assertEquals([other.got[0]!.from, other.got[0]!.port], [scene.dns.got[0]!.from, scene.dns.got[0]!.port]);
});

test("a name is resolved, the answer states the address", async () => {
  await using scene = await associated();
  scene.network.names.set("dns.example", [[DNS]]);
  await scene.send("dns.example", 53, "one");
  await scene.send("dns.example", 53, "two");
  await soon(scene.client.until(2));
  assertEquals(hex(scene.client.got[0]!.bytes), hex(to(DNS, 53, "got one")));
  assertEquals(scene.network.lookups, ["dns.example"]);
});

test("empty payloads are relayed both ways", async () => {
  await using scene = await associated();
  const quiet = new UdpHost(scene.network, "8.8.8.8", 9, () => new Uint8Array(0));
  await scene.send("8.8.8.8", 9, "");
  await soon(scene.client.until(1));
  assertEquals(quiet.got[0]!.bytes.length, 0);
  assertEquals(hex(scene.client.got[0]!.bytes), hex(to("8.8.8.8", 9, "")));
});

test("a stranger's datagrams are dropped, from another host or another port", async () => {
  await using scene = await associated();
  const stranger = new UdpHost(scene.network, "203.0.113.10", 7000);
  await stranger.send(to(DNS, 53, "from a stranger"), RELAY.ip, RELAY.port);
  await scene.send(DNS, 53, "mine");
  const neighbour = new UdpHost(scene.network, FAR.ip, 7001);
  await neighbour.send(to(DNS, 53, "from a neighbour"), RELAY.ip, RELAY.port);
  await soon(scene.client.until(1));
  await settle();
  assertEquals(scene.dns.got.map(({ text }) => text), ["mine"]);
  assertEquals([stranger.got.length, neighbour.got.length], [0, 0]);
});

test("a malformed datagram is dropped alone, and teaches no port", async () => {
  await using scene = await associated();
  const neighbour = new UdpHost(scene.network, FAR.ip, 6999);
  for (const wrong of [[], [0], [0, 0, 0], [0, 1, 0, 1, 1, 2, 3, 4, 0, 5], [0, 0, 0, 9, 1], [0, 0, 0, 3, 0, 0, 5]]) {
    await neighbour.send(Uint8Array.from(wrong), RELAY.ip, RELAY.port);
  }
  await scene.send(DNS, 53, "fine");
  await soon(scene.client.until(1));
  assertEquals(scene.dns.got.map(({ text }) => text), ["fine"]);
});

test("the port that the client states is the only one that counts", async () => {
  await using scene = await associated({}, [5, 1, 0, 5, 3, 0, 1, 203, 0, 113, 9, 0x1b, 0x58]); // 7000
  const neighbour = new UdpHost(scene.network, FAR.ip, 6999);
  await neighbour.send(to(DNS, 53, "neighbour"), RELAY.ip, RELAY.port);
  await scene.send(DNS, 53, "mine");
  await soon(scene.client.until(1));
  assertEquals(scene.dns.got.map(({ text }) => text), ["mine"]);
});

test("a client that states another host's address, as behind NAT, is learnt from its first datagram", async () => {
  for (const stated of [[1, 10, 0, 0, 7, 0, 99], [3, 4, 104, 111, 109, 101, 0, 99]]) {
    await using scene = await associated({}, [5, 1, 0, 5, 3, 0, ...stated]);
    const stranger = new UdpHost(scene.network, "10.0.0.7", 99);
    await stranger.send(to(DNS, 53, "stranger"), RELAY.ip, RELAY.port);
    await scene.send(DNS, 53, "mine");
    await soon(scene.client.until(1));
    assertEquals(scene.dns.got.map(({ text }) => text), ["mine"]);
  }
});

test("every destination passes the rules, not only the request", async () => {
  await using scene = await associated();
  const inner = new UdpHost(scene.network, "10.0.0.1", 53);
  scene.network.names.set("inner.example", [["127.0.0.1"]]);
  await scene.send("10.0.0.1", 53, "no");
  await scene.send("inner.example", 53, "no");
  await scene.send("0.0.0.0", 53, "no");
  await scene.send("64:ff9b::a00:1", 53, "no");
  await scene.send(DNS, 0, "no");
  await scene.send(DNS, 53, "yes");
  await soon(scene.client.until(1));
  await settle();
  assertEquals([scene.dns.got.length, inner.got.length, scene.network.lost], [1, 0, []]);
});

test("a rule on datagrams sees each of them, with its size and the user's request", async () => {
  const seen: string[] = [];
  await using scene = await associated({
    rules: {
      datagram: ({ target, size }, { command, client }) => {
        seen.push(`${command} ${client?.ip} ${target.host}:${target.port} ${size}`);
        return size > 3 ? "deny" : undefined;
      },
    },
  });
  for (const data of ["one", "three", "two"]) await scene.send(DNS, 53, data);
  await soon(scene.client.until(2));
  assertEquals(scene.dns.got.map(({ text }) => text), ["one", "two"]);
  assertEquals(seen, [3, 5, 3].map((size) => `udp-associate ${FAR.ip} ${DNS}:53 ${size}`));
});

test("a sender that the client never wrote to needs the rules' leave", async () => {
  await using scene = await associated();
  await scene.send(DNS, 53, "hello");
  await soon(scene.client.until(1));
  const outside = { ip: scene.dns.got[0]!.from, port: scene.dns.got[0]!.port };
  const welcome = new UdpHost(scene.network, "8.8.4.4", 5);
  const unwelcome = new UdpHost(scene.network, "10.0.0.5", 5);
  await unwelcome.send(new TextEncoder().encode("psst"), outside.ip, outside.port);
  await welcome.send(new TextEncoder().encode("hi"), outside.ip, outside.port);
  await soon(scene.client.until(2));
  await settle();
  assertEquals(scene.client.got.length, 2);
  assertEquals(hex(scene.client.got[1]!.bytes), hex(to("8.8.4.4", 5, "hi")));
});

test("fragments are put together before they are sent", async () => {
  await using scene = await associated();
  await scene.send(DNS, 53, "one ", 1);
  await scene.send(DNS, 53, "two ", 2);
  await scene.send(DNS, 53, "three", 0x83);
  await soon(scene.client.until(1));
  assertEquals(scene.dns.got.map(({ text }) => text), ["one two three"]);
});

test("the association ends with its control connection, and its sockets with it", async () => {
  for (const how of ["end", "close", "reset", "server"] as const) {
    const scene = await associated();
    await scene.send(DNS, 53, "x");
    await soon(scene.client.until(1));
    assertEquals(scene.network.sockets.size, 4);
    if (how === "end") scene.control.finish();
    if (how === "close") scene.control.leave();
    if (how === "reset") scene.control.leave("reset");
    if (how === "server") void scene.running.server.close();
    const { cause, sent, received } = await scene.running.seen.summary();
    const expected = { end: "finished", close: "finished", reset: "reset", server: "shutdown" }[how];
    assertEquals({ cause, sent, received }, { cause: expected, sent: 1, received: 5 }, how);
    assertEquals(scene.network.sockets.size, 2, "the client's and the target's own");
    await soon(scene.running.server.close());
  }
});

test("stray bytes on the control connection mean nothing", async () => {
  await using scene = await associated();
  await scene.control.send([5, 1, 0, 5, 1, 0], "x".repeat(1000));
  await scene.send(DNS, 53, "still");
  await soon(scene.client.until(1));
  assertEquals(scene.control.end.unread, 0);
});

test("an idle association ends, one with datagrams does not", async () => {
  using clock = new Clock();
  await using scene = await associated({ timeouts: { idle: 300 } });
  for (let i = 1; i <= 5; i++) {
    await clock.advance(200);
    await scene.send(DNS, 53, "");
    await soon(scene.client.until(i));
  }
  assertEquals(scene.running.server.sessions, 1);
  await clock.advance(400);
  assertEquals((await scene.running.seen.summary()).cause, "timeout");
  await eventually(() => scene.network.sockets.size === 2, "the sockets' close");
});

test("the limit on associations is a general failure, until one ends", async () => {
  await using scene = await associated({ bounds: { associations: 1 } });
  const second = scene.running.client();
  await second.send(ASSOCIATE);
  await second.expect("05 00 05 01 00 01 00 00 00 00 00 00");
  second.leave();
  scene.control.leave();
  await scene.running.seen.summary(1);
  const third = scene.running.client();
  await third.send(ASSOCIATE);
  await third.expect("05 00 05 00 00 01");
  third.leave();
});

test("the ports of the range are used, and none else", async () => {
  const network = new Network();
  await using running = await house({ udpPorts: { from: 3000, to: 3002 } }, network);
  const ports: number[] = [];
  for (let i = 0; i < 3; i++) {
    const control = running.client();
    await control.send(ASSOCIATE);
    await control.expect("05 00 05 00 00 01 c0 00 02 01");
    const [high, low] = await control.read(2);
    ports.push(high! << 8 | low!);
  }
  assertEquals(ports.sort(), [3000, 3001, 3002]);
  const late = running.client();
  await late.send(ASSOCIATE);
  await late.expect("05 00 05 01");
  late.leave();
});

test("the advertised address is stated", async () => {
  await using running = await house({ advertise: "203.0.113.77" });
  const control = running.client();
  await control.send(ASSOCIATE);
  await control.expect("05 00 05 00 00 01 cb 00 71 4d 9c 40");
  control.leave();
});

test("the relay is where the client reached the server, never 0.0.0.0", async () => {
  const network = new Network();
  await using running = await house({ listen: "0.0.0.0:1080" }, network);
  const end = network.reach("198.51.100.1:1080", FAR);
  await end.write(Uint8Array.from(ASSOCIATE));
  await eventually(() => end.unread >= 12, "the reply");
  assertEquals([...network.sockets.keys()], ["198.51.100.1:40000"]);
  assert(running.server.sessions === 1);
  end.close();
});

test("a client on this machine may send to this machine", async () => {
  const network = new Network();
  await using running = await house({ listen: "127.0.0.1:1080" }, network);
  const control = running.client(NEAR);
  await control.send(ASSOCIATE);
  await control.expect("05 00 05 00 00 01 7f 00 00 01 9c 40");
  const local = new UdpHost(network, "127.0.0.1", 53);
  const client = new UdpHost(network, "127.0.0.1", 7000);
  await client.send(to("127.0.0.1", 53, "hi"), "127.0.0.1", 40_000);
  await soon(local.until(1));
  control.leave();
});

test("SOCKS4 has no UDP", async () => {
  await using running = await house();
  const client = running.client();
  await client.send([4, 3, 0, 53, 8, 8, 8, 8, 0]);
  assertEquals(await client.restHex(), "00 5b 00 00 00 00 00 00");
  client.leave();
});

test("after a recheck each destination and each sender is asked for again", async () => {
  await using scene = await associated();
  const other = new UdpHost(scene.network, "93.184.216.35", 53, () => new TextEncoder().encode("other"));
  await scene.send(DNS, 53, "one");
  await soon(scene.client.until(1));
  const rules = [{ action: "deny", to: [DNS] }] as const;
  const options = { listen: "192.0.2.1:1080", open: true, runtime: scene.network, rules };
  await scene.running.server.reload(options, { sessions: "recheck" });
  await scene.send(DNS, 53, "two");
  await scene.send("93.184.216.35", 53, "three");
  await soon(scene.client.until(2));
  assertEquals([scene.dns.got.length, other.got.length], [1, 1]);
});

test("the limits of the rule that allows a destination hold for datagrams, and no others are to be had beside them", async () => {
  const rules = [
    { action: "allow", to: [DNS], limits: { name: "dns", per: "address", sessions: 1 } },
    { action: "allow", to: ["8.8.8.8"], limits: { sessions: 9 } },
    { action: "allow", to: ["8.8.4.4"] },
  ] as const;
  await using scene = await associated({ rules, otherwise: "deny" });
  const [other, free] = ["8.8.8.8", "8.8.4.4"].map((ip) => new UdpHost(scene.network, ip, 53));
  await scene.send(DNS, 53, "one");
  await soon(scene.client.until(1));
  await scene.send("8.8.8.8", 53, "not under these limits");
  await scene.send("8.8.4.4", 53, "without limits");
  await soon(free!.until(1));
  assertEquals(other!.got.length, 0);

  const second = scene.running.client();
  await second.send(ASSOCIATE);
  const [reply, ip, port] = [await second.read(8), await second.read(2), await second.read(2)];
  assertEquals([hex(reply), hex(ip)], ["05 00 05 00 00 01 c0 00", "02 01"]);
  await new UdpHost(scene.network, FAR.ip, 7001).send(to(DNS, 53, "two"), RELAY.ip, port[0]! << 8 | port[1]!);
  const { cause, reason } = await scene.running.seen.summary();
  assertEquals([cause, reason], ["limit", `Cannot admit: limit "dns": 1 session at once for ${FAR.ip}`]);
  assertEquals(scene.dns.got.map(({ text }) => text), ["one"]);
});
