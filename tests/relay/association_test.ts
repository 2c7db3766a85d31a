import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import type { SocketAddress } from "../../src/net/address.ts";
import { NetError } from "../../src/net/errors.ts";
import { type Target, targetOf } from "../../src/protocol/address.ts";
import { encodeDatagram } from "../../src/protocol/udp.ts";
import { Association, type AssociationOptions } from "../../src/relay/association.ts";
import type { DatagramSocket } from "../../src/runtime/runtime.ts";
import { settle } from "../server/_harness.ts";
import { Network, UdpHost } from "../server/_network.ts";

const CLIENT = "203.0.113.9";

const to = (host: string, port: number, data = "x"): Uint8Array =>
  encodeDatagram({ fragment: 0, target: targetOf(host, port), data: new TextEncoder().encode(data) });

/** What the client's side was sent. */
class Inbound implements DatagramSocket {
  readonly address = { ip: "192.0.2.1", port: 1 };
  readonly sent: string[] = [];
  isClosed = false;
  send(bytes: Uint8Array, ip: string, port: number): void {
    this.sent.push(`${new TextDecoder().decode(bytes.subarray(10))} to ${ip}:${port}`);
  }
  close(): void {
    this.isClosed = true;
  }
}

function make(options: Partial<AssociationOptions> = {}) {
  const network = new Network();
  const inbound = new Inbound();
  const meter = { sent: 0, received: 0, datagrams: 0 };
  const routes: string[] = [];
  const association = new Association({
    runtime: network,
    meter,
    client: { ip: CLIENT, port: 0 },
    maxDestinations: 8,
    maxLookups: 4,
    mayAnswer: () => Promise.resolve(false),
    ...options,
    route: (target) => {
      routes.push(target.host);
      // A loop would starve everything else, this test's time limit too.
      if (routes.length > 500) throw new Error("Too many routes");
      return options.route?.(target) ?? Promise.resolve({ ip: target.host, port: target.port });
    },
  });
  association.inbound = inbound;
  return { network, inbound, meter, association, routes };
}

test("datagrams and their bytes are counted both ways", async () => {
  const { network, association, meter, inbound } = make();
  new UdpHost(network, "8.8.8.8", 53, () => new Uint8Array(7));
  association.fromClient(to("8.8.8.8", 53, "query"), CLIENT, 7000);
  association.fromClient(to("8.8.8.8", 53, ""), CLIENT, 7000);
  await settle();
  assertEquals(meter, { sent: 5, received: 14, datagrams: 4 });
  assertEquals(inbound.sent.length, 2);
  association.close();
});

test("datagrams to a name wait for its address, a bounded number of them", async () => {
  let found = (_address: SocketAddress): void => {};
  const route = () => new Promise<SocketAddress>((resolve) => found = resolve);
  const { network, association, routes } = make({ route });
  const host = new UdpHost(network, "8.8.8.8", 53);
  for (let i = 0; i < 1000; i++) association.fromClient(to("dns.example", 53, `${i}`), CLIENT, 7000);
  assertEquals(routes, ["dns.example"]);
  found({ ip: "8.8.8.8", port: 53 });
  await settle();
  assert(host.got.length >= 1 && host.got.length <= 64, `${host.got.length} had waited`);
  assertEquals(host.got.map(({ text }) => text), host.got.map((_, i) => `${i}`));
  association.fromClient(to("dns.example", 53, "later"), CLIENT, 7000);
  assertEquals(host.got.at(-1)!.text, "later");
  association.close();
});

test("no more names are looked up at once than the limit says", async () => {
  const waiting: ((address: SocketAddress) => void)[] = [];
  const route = () => new Promise<SocketAddress>((resolve) => waiting.push(resolve));
  const { association, routes } = make({ route, maxLookups: 3 });
  for (let i = 0; i < 10; i++) association.fromClient(to(`n${i}.example`, 53), CLIENT, 7000);
  assertEquals(routes, ["n0.example", "n1.example", "n2.example"]);
  waiting[0]!({ ip: "8.8.8.8", port: 53 });
  await settle();
  association.fromClient(to("n9.example", 53), CLIENT, 7000);
  assertEquals(routes.at(-1), "n9.example");
  association.close();
});

test("a route that fails drops the datagram, and the next one may try again", async () => {
  let fails = true;
  const route = (target: Target) =>
    fails
      ? Promise.reject(new NetError("name-not-found", "no"))
      : Promise.resolve({ ip: "8.8.8.8", port: target.port });
  const { network, association } = make({ route });
  const host = new UdpHost(network, "8.8.8.8", 53);
  association.fromClient(to("dns.example", 53, "one"), CLIENT, 7000);
  await settle();
  fails = false;
  association.fromClient(to("dns.example", 53, "two"), CLIENT, 7000);
  await settle();
  assertEquals(host.got.map(({ text }) => text), ["two"]);
  association.close();
});

test("forgetting destinations costs another lookup and nothing else", async () => {
  for (const maxDestinations of [0, 1, 2]) {
    const { network, association, routes } = make({ maxDestinations });
    const hosts = ["8.8.8.1", "8.8.8.2", "8.8.8.3"].map((ip) => new UdpHost(network, ip, 53));
    for (let round = 0; round < 3; round++) {
      for (let i = 1; i <= 3; i++) association.fromClient(to(`8.8.8.${i}`, 53, `${round}`), CLIENT, 7000);
      await settle();
    }
    assert(routes.length <= 9, `${routes.length} routes for 9 datagrams with ${maxDestinations} remembered`);
    for (const host of hosts) assertEquals(host.got.map(({ text }) => text), ["0", "1", "2"]);
    association.close();
  }
});

test("senders are remembered within the bound, too", async () => {
  let asked = 0;
  const mayAnswer = () => Promise.resolve(++asked > 0);
  const { network, association, inbound } = make({ mayAnswer, maxDestinations: 2 });
  const first = new UdpHost(network, "8.8.8.8", 53);
  association.fromClient(to("8.8.8.8", 53), CLIENT, 7000);
  await settle();
  const outside = first.got[0]!;
  for (let i = 1; i <= 20; i++) {
    const sender = new UdpHost(network, `9.9.9.${i}`, 9);
    await sender.send(new TextEncoder().encode(`${i}`), outside.from, outside.port);
  }
  await settle();
  assertEquals(inbound.sent.length, 20);
  assertEquals(asked, 20);
  association.close();
});

test("without a client's address it is learnt, once, from the first valid datagram", async () => {
  const { network, association, inbound } = make({ client: { ip: undefined, port: 0 } });
  new UdpHost(network, "8.8.8.8", 53, () => new TextEncoder().encode("pong"));
  association.fromClient(Uint8Array.of(1, 2, 3), "198.51.100.7", 1);
  association.fromClient(to("8.8.8.8", 53), CLIENT, 7000);
  association.fromClient(to("8.8.8.8", 53), "198.51.100.7", 1);
  await settle();
  assertEquals(inbound.sent, [`pong to ${CLIENT}:7000`]);
  association.close();
});

test("a rule on datagrams that fails drops them", async () => {
  const { network, association } = make({ mayPass: () => Promise.reject(new Error("no")) });
  const host = new UdpHost(network, "8.8.8.8", 53);
  association.fromClient(to("8.8.8.8", 53), CLIENT, 7000);
  await settle();
  assertEquals(host.got, []);
  association.close();
});

test("close closes every socket, and what comes later goes nowhere", async () => {
  const { network, association, inbound, routes } = make();
  new UdpHost(network, "8.8.8.8", 53);
  new UdpHost(network, "2606:4700::1", 53);
  association.fromClient(to("8.8.8.8", 53), CLIENT, 7000);
  association.fromClient(to("2606:4700::1", 53), CLIENT, 7000);
  await settle();
  assertEquals(network.sockets.size, 4);
  association.close();
  association.close();
  await settle();
  assertEquals([network.sockets.size, inbound.isClosed], [2, true]);
  association.fromClient(to("8.8.8.8", 53), CLIENT, 7000);
  association.fromClient(to("1.1.1.1", 53), CLIENT, 7000);
  await settle();
  assertEquals([network.sockets.size, routes.length], [2, 2]);
});

test("a socket that opens after the close is closed", async () => {
  const { network, association } = make();
  association.fromClient(to("8.8.8.8", 53), CLIENT, 7000);
  association.close();
  await settle();
  assertEquals(network.sockets.size, 0);
  const late = new Inbound();
  association.inbound = late;
  assertEquals(late.isClosed, true);
});

test("a socket that cannot be had drops the datagram, and the next one may try again", async () => {
  const { network, association } = make();
  const host = new UdpHost(network, "8.8.8.8", 53);
  await settle();
  const { bindDatagram } = network;
  network.bindDatagram = () => Promise.reject(new NetError("too-many-files", "no"));
  association.fromClient(to("8.8.8.8", 53, "one"), CLIENT, 7000);
  await settle();
  network.bindDatagram = bindDatagram;
  association.fromClient(to("8.8.8.8", 53, "two"), CLIENT, 7000);
  await settle();
  assertEquals(host.got.map(({ text }) => text), ["two"]);
  association.close();
});
