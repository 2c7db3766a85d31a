import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { join } from "node:path";
import { after } from "node:test";
import { bytes, eventually, hex, ipv4Bytes, type Part, portBytes, Target, Udp, Wire } from "./_client.ts";
import { Namespace, noNamespaces } from "./_netns.ts";
import { type RuntimeUnderTest, startServer } from "./_server.ts";
import { assertServes, CONNECT, name5, readReply, readReply4, request4, request5 } from "./_socks.ts";
import { type BareCase, suite } from "./_suite.ts";

/**
 * A machine with loopback and two addresses of the public Internet, one the server's and one a client's; nothing leads out
 * of it. Packets to its neighbours vanish.
 */
const MACHINE = [
  "link set lo up",
  "addr add 8.8.8.1/32 dev lo",
  "addr add 8.8.8.2/32 dev lo",
  "link add v0 type veth peer name v1",
  "link set v0 up",
  "link set v1 up",
  "addr add 9.9.9.1/24 dev v0",
  "neigh add 9.9.9.9 lladdr 02:00:00:00:00:09 dev v0",
  "neigh add 9.9.9.10 lladdr 02:00:00:00:00:0a dev v0",
  "route add unreachable 8.8.4.0/24",
];
const SERVER = "8.8.8.1", CLIENT = "8.8.8.2";

/** In the namespace, a TCP port that listens on every address. */
const FORBIDDEN_PORT = 7777;

/** Starts a server in a namespace that clients from elsewhere reach, and gives a way to ask it. */
async function abroad(runtime: RuntimeUnderTest, folder: string, args: readonly string[]) {
  const namespace = new Namespace(MACHINE);
  try {
    await namespace.serveNames(FORBIDDEN_PORT);
    const listen = ["--listen", `${SERVER}:0`];
    const server = await startServer(runtime, [...listen, ...args], { prefix: namespace.prefix });
    const connect = (from = CLIENT, resetAtEnd = false) => namespace.connect(server, from, folder, resetAtEnd);
    const ask = async (request: Uint8Array, from?: string): Promise<number> => {
      using wire = await connect(from);
      await wire.send(5, 1, 0, request);
      assertEquals(hex(await wire.read(2)), "05 00");
      return (await readReply(wire)).code;
    };
    return {
      server,
      connect,
      ask,
      namespace,
      stop: () => server.stop().finally(() => namespace[Symbol.dispose]()),
    };
  } catch (error) {
    namespace[Symbol.dispose]();
    throw error;
  }
}

function request6(groups: readonly number[], port: number): Uint8Array {
  return bytes(5, CONNECT, 0, 4, ...groups.flatMap((group) => [group >> 8, group & 0xff]), portBytes(port));
}

/** An IPv6 address that holds an IPv4 one in the groups at `at`. */
function embedded(prefix: readonly number[], at: number, address: string): number[] {
  const [a, b, c, d] = ipv4Bytes(address) as unknown as [number, number, number, number];
  const groups = new Array(8).fill(0);
  prefix.forEach((group, i) => groups[i] = group);
  groups[at] = a << 8 | b;
  groups[at + 1] = c << 8 | d;
  return groups;
}

suite("policy", ({ test, bare }) => {
  // Shared among the cases that have the same arguments.
  const worlds = new Map<string, Awaited<ReturnType<typeof abroad>>>();
  after(async () => void await Promise.all(Array.from(worlds.values(), (world) => world.stop())));
  const worldOf = async ({ runtime, folder }: BareCase, args: readonly string[]) => {
    const key = args.join(" ");
    const world = worlds.get(key) ?? await abroad(runtime, folder, args);
    worlds.set(key, world);
    return world;
  };

  test("a client on loopback reaches loopback", async ({ server }) => {
    using echo = await Target.echo();
    await assertServes(server, echo);
  });

  bare("a client from elsewhere reaches no address that is not public", async (of) => {
    const world = await worldOf(of, ["--open"]);
    const port = world.server.port;
    const forbidden = [
      "127.0.0.1",
      "127.1.2.3",
      "10.0.0.1",
      "172.16.0.1",
      "172.31.255.255",
      "192.168.1.1",
      "169.254.169.254",
      "100.64.0.1",
      "224.0.0.1",
      "239.255.255.250",
      "255.255.255.255",
    ];
    for (const address of forbidden) {
      assertEquals(await world.ask(request5(CONNECT, address, 80)), 2, address);
      for (const name of [address, `::ffff:${address}`, `[::ffff:${address}]`]) {
        assertEquals(await world.ask(bytes(5, CONNECT, 0, name5(name, 80))), 2, name);
      }
      const mapped = embedded([0, 0, 0, 0, 0, 0xffff], 6, address);
      const nat64 = embedded([0x64, 0xff9b], 6, address);
      const sixToFour = embedded([0x2002], 1, address);
      for (const groups of [mapped, nat64, sixToFour]) {
        assertEquals(await world.ask(request6(groups, 80)), 2, groups.map((group) => group.toString(16)).join(":"));
      }
    }
    for (
      const groups of [
        [0, 0, 0, 0, 0, 0, 0, 1],
        [0xfe80, 0, 0, 0, 0, 0, 0, 1],
        [0xfc00, 0, 0, 0, 0, 0, 0, 1],
        [0xfd12, 0x3456, 0, 0, 0, 0, 0, 1],
        [0xff02, 0, 0, 0, 0, 0, 0, 1],
      ]
    ) {
      assertEquals(await world.ask(request6(groups, 80)), 2, groups.map((group) => group.toString(16)).join(":"));
    }
    // 0.0.0.0/8 means this host: an error rather than a rule's refusal, but in no case dialled.
    assert([1, 2, 8].includes(await world.ask(request5(CONNECT, "0.1.2.3", 80))));
    // Names, and the other spellings of addresses: whatever they are taken for, they do not get through.
    for (const name of ["localhost", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "0"]) {
      assertNotEquals(await world.ask(bytes(5, CONNECT, 0, name5(name, port))), 0, name);
    }
  }, { skip: noNamespaces, deadlineMs: 600_000 });

  bare("a client from elsewhere does not reach the server's own listener", async (of) => {
    const world = await worldOf(of, ["--open"]);
    assertEquals(await world.ask(request5(CONNECT, SERVER, world.server.port)), 2);
    assertEquals(await world.ask(bytes(5, CONNECT, 0, name5(SERVER, world.server.port))), 2);
    using wire = await world.connect();
    await wire.write(request4(CONNECT, SERVER, world.server.port));
    assertEquals((await readReply4(wire)).code, 91);
  }, { skip: noNamespaces });

  bare("a client from elsewhere reaches public addresses", async (of) => {
    const world = await worldOf(of, ["--open"]);
    // Nobody listens there: the server went and found that out.
    assertEquals(await world.ask(request5(CONNECT, "8.8.8.2", 9)), 5);
  }, { skip: noNamespaces });

  bare("SOCKS4 from elsewhere is held to the same", async (of) => {
    const world = await worldOf(of, ["--open"]);
    for (const request of [request4(CONNECT, "127.0.0.1", 80), request4(CONNECT, "0.0.0.1", 80, "", "10.0.0.1")]) {
      using wire = await world.connect();
      await wire.write(request);
      assertEquals((await readReply4(wire)).code, 91);
    }
  }, { skip: noNamespaces });

  bare(
    "a client that comes from an address other than loopback is held to be from elsewhere, even the server's own",
    async (of) => {
      const world = await worldOf(of, ["--open"]);
      const codes = [
        await world.ask(request5(CONNECT, "127.0.0.1", 9), CLIENT),
        await world.ask(request5(CONNECT, "127.0.0.1", 9), SERVER),
      ];
      assertEquals(codes, [2, 2]);
    },
    { skip: noNamespaces },
  );

  bare(
    "--allow-private lets a client from elsewhere reach loopback and private addresses",
    async (of) => {
      const world = await worldOf(of, ["--open", "--allow-private"]);
      assertEquals(await world.ask(request5(CONNECT, "127.0.0.1", 9)), 5);
      assertEquals(await world.ask(bytes(5, CONNECT, 0, name5("127.0.0.1", 9))), 5);
      assertNotEquals(await world.ask(request5(CONNECT, "10.0.0.1", 9)), 2);
      // But 0.0.0.0 is never dialled: it would mean localhost.
      assertNotEquals(await world.ask(request5(CONNECT, "0.0.0.0", 9)), 5);
    },
    { skip: noNamespaces },
  );

  bare("every datagram from elsewhere is held to the same, not only the request", async (of) => {
    const { namespace, connect } = await worldOf(of, ["--open"]);
    using control = await connect();
    await control.send(5, 1, 0, request5(3, "0.0.0.0", 0));
    await control.read(2);
    const relay = await readReply(control);
    assertEquals([relay.code, relay.host], [0, SERVER]);
    assertEquals(await datagramsAbroad(namespace, of.folder, relay.port), ["public by name", "public"]);
  }, { skip: noNamespaces });

  bare("names lead a client from elsewhere to public addresses only, whatever they resolve to", async (of) => {
    const { ask } = await worldOf(of, ["--open"]);
    const code = (name: string) => ask(bytes(5, CONNECT, 0, name5(name, FORBIDDEN_PORT)));
    for (const name of ["loopback", "private", "mapped", "nat64", "6to4", "loopback6"]) {
      assertEquals(await code(`${name}.test`), 2, name);
    }
    assert([1, 2, 4, 8].includes(await code("zero.test")), "zero");
    assertEquals(await code("empty.test"), 4);
    assertEquals(await code("unknown.test"), 4);
  }, { skip: noNamespaces });

  bare("of a name's addresses only those that are allowed are dialled", async (of) => {
    const { ask, connect } = await worldOf(of, ["--open"]);
    // The forbidden port is open on 127.0.0.1 and on 8.8.8.2: whom it reached, BND.ADDR tells.
    for (const name of ["public.test", "mixed.test"]) {
      using wire = await connect();
      await wire.send(5, 1, 0, bytes(5, CONNECT, 0, name5(name, FORBIDDEN_PORT)));
      await wire.read(2);
      const { code, host } = await readReply(wire);
      assertEquals([code, host.startsWith("8.8.8.")], [0, true], `${name} via ${host}`);
    }
    assertEquals(await ask(bytes(5, CONNECT, 0, name5("mixed.test", 9))), 5);
  }, { skip: noNamespaces });

  bare("a name that resolves to another address the second time does not get through", async (of) => {
    const { connect } = await worldOf(of, ["--open"]);
    const codes: number[] = [];
    for (let i = 0; i < 10; i++) {
      using wire = await connect();
      await wire.send(5, 1, 0, bytes(5, CONNECT, 0, name5("rebinding.test", FORBIDDEN_PORT)));
      await wire.read(2);
      const { code, host } = await readReply(wire);
      assert(code === 2 || (code === 0 && host.startsWith("8.8.8.")), `${code} via ${host}`);
      codes.push(code);
    }
    assert(codes.includes(0) && codes.includes(2), `the name was not rebound: ${codes}`);
  }, { skip: noNamespaces });

  bare("an unreachable network is 03, an unreachable host 04, silence 06", async (of) => {
    const patient = await worldOf(of, ["--open"]);
    assertEquals(await patient.ask(request5(CONNECT, "7.7.7.7", 80)), 3);
    assertEquals(await patient.ask(request5(CONNECT, "8.8.4.4", 80)), 4);
    const world = await worldOf(of, ["--open", "--connect-timeout", "2"]);
    assertEquals(await world.ask(request5(CONNECT, "9.9.9.9", 80)), 6);
    using wire = await world.connect();
    await wire.write(request4(CONNECT, "9.9.9.9", 80));
    assertEquals((await readReply4(wire)).code, 91);
  }, { skip: noNamespaces });

  for (const [how, resetAtEnd, timeout] of [["reset", true, "120"], ["close", false, "2"]] as const) {
    // After FIN alone the client may be there still, half-closed behind its optimistic data: the dial goes on to its limit.
    bare(`clients that ${how} while a target is dialled are forgotten`, async (of) => {
      const world = await worldOf(of, ["--open", "--connect-timeout", timeout]);
      using first = await world.connect();
      await first.send(5, 1, 0);
      await first.read(2);
      const settled = world.server.openFiles();
      const wires = await Promise.all(Array.from({ length: 10 }, () => world.connect(CLIENT, resetAtEnd)));
      await eventually("their descriptors", () => world.server.openFiles() >= settled + 10);
      await Promise.all(wires.map(async (wire) => {
        await wire.send(5, 1, 0, request5(CONNECT, "9.9.9.10", 80));
        assertEquals(hex(await wire.read(2)), "05 00");
      }));
      for (const wire of wires) wire.close();
      // Bun cannot call a connect off: its descriptor stays until the system gives up, the client's must not.
      const dials = of.runtime.name === "bun" ? wires.length : 0;
      await eventually("the descriptors to be closed", () => world.server.openFiles() <= settled + dials + 3);
    }, { skip: noNamespaces });
  }

  bare("the answer does not come before the dial's result", async (of) => {
    const world = await worldOf(of, ["--open", "--connect-timeout", "2"]);
    using wire = await world.connect();
    const began = performance.now();
    await wire.send(5, 1, 0, request5(CONNECT, "9.9.9.9", 80), "optimistic");
    await wire.read(2);
    assertEquals((await readReply(wire)).code, 6);
    // Had it come before, it would have come at once.
    assert(performance.now() - began > 1_000, `after ${performance.now() - began} ms`);
  }, { skip: noNamespaces });

  bare("a client on a UNIX socket counts as one on this machine", async ({ runtime, folder }) => {
    using echo = await Target.echo();
    const path = join(folder, "local.sock");
    await using _server = await startServer(runtime, ["--listen", `unix:${path}`]);
    await assertServes({ host: "", port: 0, path }, echo);
  });

  test("a datagram to the server's own address and port 0 goes nowhere", async ({ server }) => {
    using target = await Udp.bind();
    using udp = await Udp.bind();
    using wire = await Wire.connect(server);
    await wire.send(5, 1, 0, request5(3, "0.0.0.0", 0));
    await wire.read(2);
    const relay = await readReply(wire);
    const send = (host: string, port: number, payload: Part) =>
      udp.send(relay, bytes(0, 0, 0, 1, ipv4Bytes(host), portBytes(port), payload));
    await send("0.0.0.0", target.port, "zeros");
    await send("127.0.0.1", target.port, "right");
    assertEquals(hex((await target.receive()).data), hex(bytes("right")));
  });
});

/**
 * In the namespace, sends datagrams through the relay to loopback, to a private and to a public address of this machine,
 * where sockets listen; gives what arrived.
 */
async function datagramsAbroad(namespace: Namespace, folder: string, relayPort: number): Promise<string[]> {
  const { execFile } = await import("node:child_process");
  const { writeFileSync } = await import("node:fs");
  const process = (await import("node:process")).default;
  const script = join(folder, "datagrams.mjs");
  writeFileSync(script, SCRIPT);
  const [program, ...args] = [
    ...namespace.prefix,
    process.execPath,
    "run",
    "-A",
    "--no-config",
    script,
    `${relayPort}`,
  ];
  return await new Promise((resolve, reject) => {
    execFile(program!, [...args, SERVER, CLIENT], { timeout: 120_000 }, (error, stdout) => {
      if (error) reject(error);
      else resolve(JSON.parse(stdout));
    });
  });
}

const SCRIPT = `
import { createSocket } from "node:dgram";
const [relayPort, server, client] = process.argv.slice(2);
const bind = (host) => new Promise((resolve) => {
  const socket = createSocket("udp4");
  socket.bind(0, host, () => resolve(socket));
});
const got = [];
const targets = [await bind("127.0.0.1"), await bind("0.0.0.0"), await bind(client)];
const udp = await bind(client);
const waits = new Set();
for (const target of targets) target.on("message", (data) => {
  got.push(String(data));
  for (const waiting of waits) waiting();
});
const arrival = (payload) => Promise.race([
  new Promise((resolve) => waits.add(() => got.includes(payload) && resolve())),
  new Promise((resolve) => setTimeout(resolve, 60_000)),
]);
const send = (host, port, payload) => new Promise((resolve) => udp.send(
  new Uint8Array([0, 0, 0, 1, ...host.split(".").map(Number), port >> 8, port & 255, ...new TextEncoder().encode(payload)]),
  Number(relayPort), server, resolve));
const named = (name, port, payload) => new Promise((resolve) => udp.send(
  new Uint8Array([0, 0, 0, 3, name.length, ...new TextEncoder().encode(name), port >> 8, port & 255,
    ...new TextEncoder().encode(payload)]), Number(relayPort), server, resolve));
await send("127.0.0.1", targets[0].address().port, "loopback");
await send("127.0.0.2", targets[1].address().port, "loopback too");
await send("0.0.0.0", targets[1].address().port, "unspecified");
await named("loopback.test", targets[0].address().port, "loopback by name");
// By the time that this name has been looked up, the one before it has been, too.
const byName = arrival("public by name");
await named("public.test", targets[2].address().port, "public by name");
await byName;
const last = arrival("public");
await send(client, targets[2].address().port, "public");
await last;
console.log(JSON.stringify(got));
process.exit();
`;
