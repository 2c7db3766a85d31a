import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { eventually, FAR, hex, house, NEAR, settle, soon, Wire } from "./_harness.ts";
import { Network } from "./_network.ts";

const PEER = { ip: "93.184.216.34", port: 20 };
const PEER_BYTES = [1, 93, 184, 216, 34, 0, 20];
const BIND5 = [5, 1, 0, 5, 2, 0, ...PEER_BYTES];
const BIND4 = [4, 2, 0, 20, 93, 184, 216, 34, 0];
const ANY5 = [5, 1, 0, 5, 2, 0, 1, 0, 0, 0, 0, 0, 0];
const ANY4 = [4, 2, 0, 0, 0, 0, 0, 0, 0];
const LISTENING5 = "05 00 05 00 00 01 c0 00 02 01 9c 40";
const LISTENING4 = "00 5a 9c 40 c0 00 02 01";
const AT = "192.0.2.1:40000";

test("a SOCKS5 BIND says where it listens, says who came, and relays", async () => {
  await using running = await house();
  const client = running.client();
  await client.send(BIND5);
  await client.expect(LISTENING5);
  assertEquals(client.end.unread, 0); // no second reply before the peer
  const peer = new Wire(running.network.reach(AT, { ...PEER, port: 4242 }));
  await client.expect("05 00 00 01 5d b8 d8 22 10 92"); // its port is not compared
  assertEquals(running.network.listeners.has(AT), false);
  await client.send("to the peer");
  assertEquals(await peer.text(11), "to the peer");
  await peer.send("and back");
  assertEquals(await client.text(8), "and back");
  peer.finish();
  assertEquals(await client.restHex(), "");
  await client.send("still");
  assertEquals(await peer.text(5), "still");
  client.finish();
  const { cause, sent, received } = await running.seen.summary();
  assertEquals({ cause, sent, received }, { cause: "finished", sent: 16, received: 8 });
  assertEquals(running.seen.events, [
    "opened",
    "requested socks5 bind 93.184.216.34:20",
    "connected 93.184.216.34:4242",
    "closed finished",
  ]);
});

test("a SOCKS4 BIND says where it listens, says who came, and relays", async () => {
  await using running = await house();
  const client = running.client();
  await client.send(BIND4);
  await client.expect(LISTENING4);
  const peer = new Wire(running.network.reach(AT, PEER));
  await client.expect("00 5a 00 14 5d b8 d8 22");
  await peer.send("hello");
  assertEquals(await client.text(5), "hello");
  client.leave();
});

test("a peer at another address is refused, and both are closed", async () => {
  for (
    const [request, listening, refusal] of [
      [BIND5, LISTENING5, "05 02 00 01 00 00 00 00 00 00"],
      [BIND4, LISTENING4, "00 5b 00 00 00 00 00 00"],
    ] as const
  ) {
    await using running = await house();
    const client = running.client();
    await client.send(request);
    await client.expect(listening);
    const stranger = new Wire(running.network.reach(AT, { ip: "93.184.216.35", port: 20 }));
    await client.expect(refusal);
    assertEquals(await client.restHex(), "");
    client.leave();
    assertEquals(await stranger.restHex().catch(() => ""), "");
    assertEquals((await running.seen.summary()).cause, "refused");
    assertEquals(running.seen.refusals[0]?.cause, "rules");
    assertEquals(running.network.listeners.has(AT), false);
  }
});

test("without an expected peer anyone may come whom the rules let", async () => {
  for (const [request, listening, came] of [[ANY5, LISTENING5, "05 00 00 01"], [ANY4, LISTENING4, "00 5a"]] as const) {
    await using running = await house();
    const client = running.client();
    await client.send(request);
    await client.expect(listening);
    const peer = new Wire(running.network.reach(AT, { ip: "8.8.8.8", port: 9 }));
    await client.expect(came);
    peer.leave();
    client.leave();
  }
});

test("without an expected peer the safe defaults still keep private peers from strangers", async () => {
  await using running = await house();
  const client = running.client();
  await client.send(ANY5);
  await client.expect(LISTENING5);
  running.network.reach(AT, { ip: "10.0.0.5", port: 9 });
  await client.expect("05 02 00 01 00 00 00 00 00 00");
  client.leave();
});

test("a BIND for a name expects one of its addresses", async () => {
  const network = new Network();
  network.names.set("ftp.example", [["2606:2800::1", "93.184.216.34"], ["10.0.0.1"]]);
  await using running = await house({}, network);
  const client = running.client();
  await client.send([5, 1, 0, 5, 2, 0, 3, 11], "ftp.example", [0, 21]);
  await client.expect("05 00 05 00 00");
  const { listeners } = network;
  await eventually(() => listeners.size === 2, "listening");
  assertEquals(network.lookups, ["ftp.example"]);
  client.leave();
});

test("a BIND for a name that nobody resolves does not take whoever comes", async () => {
  await using running = await house({ resolve: false });
  const client = running.client();
  await client.send([5, 1, 0, 5, 2, 0, 3, 11], "ftp.example", [0, 21]);
  await client.expect("05 00");
  const reply = hex(await client.read(2));
  if (reply === "05 00") {
    await client.read(8);
    running.network.reach(AT, { ip: "8.8.8.8", port: 9 });
    assertEquals(hex(await client.read(2)), "05 02");
  }
  client.leave();
});

test("a BIND for a private peer from afar is refused before anything listens", async () => {
  await using running = await house();
  const client = running.client();
  await client.send([5, 1, 0, 5, 2, 0, 1, 10, 0, 0, 1, 0, 20]);
  await client.expect("05 00 05 02 00 01 00 00 00 00 00 00");
  assertEquals(running.network.listeners.size, 1);
  client.leave();
});

test("a client on this machine that expects a peer elsewhere is told an address that can be reached", async () => {
  await using running = await house({ listen: "127.0.0.1:1080" });
  const client = running.client(NEAR);
  await client.send(BIND5);
  await client.expect("05 00 05 00 00 01 c6 33 64 01 9c 40"); // the machine's global address
  assertEquals([...running.network.listeners.keys()], ["127.0.0.1:1080", "0.0.0.0:40000"]);
  client.leave();
});

test("a client and a peer on this machine meet on loopback", async () => {
  await using running = await house({ listen: "127.0.0.1:1080" });
  const client = running.client(NEAR);
  await client.send([5, 1, 0, 5, 2, 0, 1, 127, 0, 0, 1, 0, 20]);
  await client.expect("05 00 05 00 00 01 7f 00 00 01 9c 40");
  running.network.reach("127.0.0.1:40000", { ip: "127.0.0.1", port: 77 });
  await client.expect("05 00 00 01 7f 00 00 01 00 4d");
  client.leave();
});

test("the advertised address is stated", async () => {
  await using running = await house({ advertise: "203.0.113.77" });
  const client = running.client();
  await client.send(BIND5);
  await client.expect("05 00 05 00 00 01 cb 00 71 4d 9c 40");
  client.leave();
});

test("SOCKS4 cannot bind for an IPv6 peer", async () => {
  const network = new Network();
  network.names.set("six.example", [["2606:2800::1"]]);
  await using running = await house({}, network);
  const client = running.client();
  await client.send([4, 2, 0, 20, 0, 0, 0, 1, 0], "six.example", [0]);
  assertEquals(await client.restHex(), "00 5b 00 00 00 00 00 00");
  client.leave();
});

test("a client that leaves while it waits takes the listener with it", async () => {
  for (const how of ["end", "reset"] as const) {
    await using running = await house();
    const client = running.client();
    await client.send(BIND5);
    await client.expect(LISTENING5);
    client.leave(how === "reset" ? "reset" : undefined);
    assertEquals((await running.seen.summary()).cause, "vanished");
    assertEquals(running.network.listeners.has(AT), false);
    assertEquals(running.seen.refusals, []);
  }
});

test("a peer that never comes is waited for no longer than the limit", async () => {
  for (
    const [request, listening, refusal] of [
      [BIND5, LISTENING5, "05 06 00 01 00 00 00 00 00 00"],
      [BIND4, LISTENING4, "00 5b 00 00 00 00 00 00"],
    ] as const
  ) {
    await using running = await house({ timeouts: { bind: 50 } });
    const client = running.client();
    await client.send(request);
    await client.expect(listening);
    assertEquals(await client.restHex(), refusal);
    client.leave();
    assertEquals((await running.seen.summary()).cause, "refused");
    assertEquals(running.network.listeners.has(AT), false);
  }
});

test("what the client sends ahead reaches the peer, all of it and in order", async () => {
  await using running = await house();
  const client = running.client();
  await client.send([...BIND5, ...new TextEncoder().encode("with the request, ")]);
  await client.expect(LISTENING5);
  await client.send("while waiting, ");
  await settle();
  const peer = new Wire(running.network.reach(AT, PEER));
  await client.expect("05 00 00 01");
  await client.send("after the reply");
  assertEquals(await peer.text(48), "with the request, while waiting, after the reply");
  client.finish();
  peer.finish();
  assertEquals((await running.seen.summary()).sent, 48);
});

test("only one peer is taken, others are turned away", async () => {
  await using running = await house();
  const client = running.client();
  await client.send(BIND5);
  await client.expect(LISTENING5);
  const first = new Wire(running.network.reach(AT, PEER));
  const second = new Wire(running.network.reach(AT, { ...PEER, port: 21 }));
  await client.expect("05 00 00 01 5d b8 d8 22 00 14");
  assertEquals(await second.restHex().catch(() => ""), "");
  await first.send("me");
  assertEquals(await client.text(2), "me");
  client.leave();
});

test("the server's end ends the wait", async () => {
  const running = await house();
  const client = running.client(FAR);
  await client.send(BIND5);
  await client.expect(LISTENING5);
  await soon(running.server.close());
  assertEquals((await running.seen.summary()).cause, "shutdown");
  assertEquals(running.network.listeners.size, 0);
});

test("the limits of the rule that allows a peer hold for it", async () => {
  const rules = [{ action: "allow", to: [PEER.ip], limits: { name: "peers", sessions: 1 } }] as const;
  await using running = await house({ rules, otherwise: "deny" });
  const [first, second] = [running.client(), running.client()];
  await first.send(ANY5);
  await first.expect(LISTENING5);
  running.network.reach(AT, PEER);
  await first.expect("05 00 00 01 5d b8 d8 22 00 14");
  await second.send(ANY5);
  const port = (await second.read(12)).slice(10);
  const peer = new Wire(running.network.reach(`192.0.2.1:${port[0]! << 8 | port[1]!}`, PEER));
  await second.expect("05 02 00 01 00 00 00 00 00 00");
  assertEquals(await peer.restHex().catch(() => ""), "");
  assertEquals(running.seen.refusals[0]?.reason, 'Cannot admit: limit "peers": 1 session at once');
});
