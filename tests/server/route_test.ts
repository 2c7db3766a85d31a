import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { NetError } from "../../src/net/errors.ts";
import type { AddressInfo, RequestInfo } from "../../src/policy/rules.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { echo, FAR, house } from "./_harness.ts";
import { Network } from "./_network.ts";

const connectTo = (name: string, port = 80) => [
  ...[5, 1, 0, 5, 1, 0, 3, name.length],
  ...new TextEncoder().encode(name),
  ...[port >> 8, port & 255],
];

/** What a CONNECT to a name is answered with, and what the network saw of it. */
async function ask(name: string, options: ServeOptions, network = new Network()): Promise<string> {
  await using running = await house(options, network);
  const client = running.client(FAR);
  await client.send(connectTo(name));
  await client.expect("05 00");
  const reply = await client.read(4);
  client.leave();
  await running.seen.summary();
  return reply[1]!.toString().padStart(2, "0");
}

test("a name is resolved once, and the address that was checked is dialled", async () => {
  const network = new Network();
  network.names.set("rebind.example", [["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]]);
  echo(network, "93.184.216.34:80");
  echo(network, "127.0.0.1:80");
  const checked: string[] = [];
  const rules = { address: ({ ip }: AddressInfo) => void checked.push(ip) };
  assertEquals(await ask("rebind.example", { rules }, network), "00");
  assertEquals([network.lookups, checked, network.attempts], [
    ["rebind.example"],
    ["93.184.216.34"],
    ["93.184.216.34:80"],
  ]);
});

test("of several addresses only those that pass are dialled", async () => {
  const network = new Network();
  network.names.set("mixed.example", [["10.0.0.1", "169.254.169.254", "93.184.216.34", "::1", "fd00::1"]]);
  echo(network, "93.184.216.34:80");
  assertEquals(await ask("mixed.example", {}, network), "00");
  assertEquals(network.attempts, ["93.184.216.34:80"]);
});

test("an address with other limits than the first is no way round these", async () => {
  const rules = [
    { action: "allow", to: ["8.8.8.8"], limits: { name: "slow", download: 1 } },
    { action: "allow" },
  ] as const;
  for (const [ips, attempts] of [[["8.8.4.4", "8.8.8.8"], 1], [["8.8.4.4", "8.8.8.9"], 2]] as const) {
    const network = new Network();
    network.names.set("two.example", [[...ips]]);
    assertEquals(await ask("two.example", { rules }, network), "05");
    assertEquals(network.attempts, ips.slice(0, attempts).map((ip) => `${ip}:80`));
  }
});

test("a name whose addresses are all denied is not allowed", async () => {
  const network = new Network();
  network.names.set("inner.example", [["10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "0.0.0.0"]]);
  assertEquals(await ask("inner.example", {}, network), "02");
  assertEquals(network.attempts, []);
});

test("0.0.0.0 and :: are never dialled, whatever is allowed", async () => {
  for (const ip of ["0.0.0.0", "::", "0.1.2.3"]) {
    const network = new Network();
    network.names.set("zero.example", [[ip]]);
    const rules = { request: () => "allow" as const, address: () => "allow" as const };
    assertEquals(await ask("zero.example", { allowPrivate: true, rules }, network), "02", ip);
    assertEquals(network.attempts, []);
  }
});

test("a name without any address does not resolve", async () => {
  assertEquals(await ask("empty.example", { resolve: () => [] }), "04");
});

test("a resolver of one's own is asked with the name and the request", async () => {
  const asked: [string, RequestInfo][] = [];
  const network = new Network();
  echo(network, "93.184.216.34:80");
  const resolve = (name: string, request: RequestInfo) => {
    asked.push([name, request]);
    return ["93.184.216.34"];
  };
  assertEquals(await ask("own.example", { resolve }, network), "00");
  assertEquals(asked.map(([name, { command, client }]) => [name, command, client]), [["own.example", "connect", FAR]]);
  assertEquals(network.lookups, []);
});

test("a resolver that throws at once or gives nonsense fails the request alone", async () => {
  const throws = () => {
    throw new NetError("lookup-failed", "at once");
  };
  assertEquals(await ask("x.example", { resolve: throws }), "04");
  for (const nonsense of [["not an address"], [""], [undefined as never], undefined as never, [1 as never]]) {
    const network = new Network();
    const reply = await ask("x.example", { resolve: () => nonsense }, network);
    assertEquals([reply === "00", network.attempts], [false, []], JSON.stringify(nonsense));
  }
});

test("with resolve: false names are left to the dialler", async () => {
  const network = new Network();
  const dialled: unknown[] = [];
  const options: ServeOptions = {
    resolve: false,
    dial: async (target, { addresses, runtime }) => {
      dialled.push([target, addresses]);
      return await runtime.connect({ ip: "93.184.216.34", port: 80 });
    },
  };
  echo(network, "93.184.216.34:80");
  assertEquals(await ask("far.example", options, network), "00");
  assertEquals(dialled, [[{ type: "name", host: "far.example", port: 80 }, []]]);
  assertEquals(network.lookups, []);
  // An address is an address, and still checked.
  assertEquals(await ask("10.0.0.1", options, network), "02");
});

test("with resolve: false and no dialler nothing is found", async () => {
  assertEquals(await ask("far.example", { resolve: false }), "04");
});

test("a rule on the request is asked once, before the name is resolved", async () => {
  const network = new Network();
  network.names.set("www.example", [["93.184.216.34"]]);
  const order: string[] = [];
  const rules = {
    request: ({ target, command, protocol, user }: RequestInfo) => {
      order.push(`${protocol} ${command} ${target.type} ${target.host} ${user} after ${network.lookups.length}`);
      return { deny: "closed today" };
    },
    address: () => void order.push("address"),
  };
  assertEquals(await ask("www.example", { rules }, network), "02");
  assertEquals(order, ["socks5 connect name www.example undefined after 0"]);
  assertEquals(network.lookups, []);
});

test("a rule sees an address behind NAT64 and 6to4 as the IPv4 address that it is", async () => {
  const network = new Network();
  network.names.set("x.example", [["64:ff9b::5db8:d822", "2002:5db8:d822::1", "::ffff:93.184.216.34"]]);
  const seen: string[] = [];
  const rules = {
    address: ({ ip, address }: AddressInfo) => {
      seen.push(`${ip} for ${address.ip}`);
      return "deny" as const;
    },
  };
  await ask("x.example", { rules }, network);
  assertEquals(seen, [
    "93.184.216.34 for 64:ff9b::5db8:d822",
    "93.184.216.34 for 2002:5db8:d822::1",
    "93.184.216.34 for 93.184.216.34",
  ]);
});

test("allow on the request skips the safe defaults, allow on an address does for that one", async () => {
  const network = new Network();
  network.names.set("inner.example", [["10.0.0.1", "10.0.0.2"]]);
  echo(network, "10.0.0.1:80");
  echo(network, "10.0.0.2:80");
  assertEquals(await ask("inner.example", { rules: { request: () => "allow" } }, network), "00");
  assertEquals(network.attempts, ["10.0.0.1:80"]);
  const rules = { address: ({ ip }: AddressInfo) => ip === "10.0.0.2" ? "allow" as const : undefined };
  assertEquals(await ask("inner.example", { rules }, network), "00");
  assertEquals(network.attempts, ["10.0.0.1:80", "10.0.0.2:80"]);
});

test("allowPrivate lets everyone reach everything", async () => {
  const network = new Network();
  network.names.set("inner.example", [["10.0.0.1"]]);
  echo(network, "10.0.0.1:80");
  assertEquals(await ask("inner.example", { allowPrivate: true }, network), "00");
});

test("a rule that fails denies", async () => {
  const network = new Network();
  network.names.set("www.example", [["93.184.216.34"]]);
  const fail = () => {
    throw new Error("a rule's own mistake");
  };
  const reject = () => Promise.reject(new Error("a rule's own mistake"));
  for (const rules of [{ request: fail }, { address: fail }, { request: reject }, { address: reject }]) {
    assertEquals(await ask("www.example", { rules }, network), "02");
  }
  assertEquals(network.attempts, []);
});
