import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { existsSync, readFileSync } from "node:fs";
import {
  bytes,
  closedPort,
  type Datagram,
  eventually,
  hex,
  inTime,
  type Part,
  portBytes,
  pseudoRandom,
  Target,
  type To,
  Udp,
  Wire,
} from "./_client.ts";
import {
  addressText,
  asked,
  assertServes,
  ASSOCIATE,
  name5,
  negotiated,
  readReply,
  request5,
  socks5Address,
} from "./_socks.ts";
import { suite } from "./_suite.ts";
import { freePort } from "../_free_port.ts";

/** An association that must be granted. */
async function associated(
  to: To,
  options: { host?: string; port?: number; from?: string; user?: readonly [string, string] } = {},
): Promise<{ wire: Wire; relay: To }> {
  const { wire, reply } = await asked(to, ASSOCIATE, options.host ?? "0.0.0.0", options.port ?? 0, options);
  assertEquals(reply.code, 0, "reply to UDP ASSOCIATE");
  assertNotEquals(reply.port, 0);
  return { wire, relay: reply };
}

/** A datagram for the relay. */
function packet(to: { host: string; port: number }, payload: Part, fragment = 0): Uint8Array {
  return bytes(0, 0, fragment, socks5Address(to.host, to.port), payload);
}

/** Takes the header off a datagram from the relay. */
function unpacked({ data }: Datagram): { host: string; port: number; payload: string } {
  assertEquals(hex(data.subarray(0, 3)), "00 00 00", "RSV and FRAG");
  assert(data[3] === 1 || data[3] === 4, "the header names an IP");
  const end = data[3] === 1 ? 8 : 20;
  return {
    host: addressText(data.subarray(4, end)),
    port: data[end]! << 8 | data[end + 1]!,
    payload: new TextDecoder().decode(data.subarray(end + 2)),
  };
}

/** Sends through the relay to an echo and checks what comes back. */
async function assertEchoes(
  udp: Udp,
  relay: To,
  echo: Udp,
  payload = "ping",
  via: { host: string } = echo,
): Promise<void> {
  await udp.send(relay, packet({ host: via.host, port: echo.port }, payload));
  assertEquals(unpacked(await udp.receive()), { host: echo.host, port: echo.port, payload });
}

/** How many packets of all programs the system has dropped for want of room: those of UDP are lost, on loopback too. */
function droppedPackets(): string {
  const [backlog, udp] = ["/proc/net/softnet_stat", "/proc/net/snmp"].map((path) =>
    existsSync(path) ? readFileSync(path, "utf8") : ""
  );
  const ofBacklog = [...backlog!.matchAll(/^\w+ (\w+)/gm)].map(([, dropped]) => dropped);
  const [names, counts] = [...udp!.matchAll(/^Udp: (.*)$/gm)].map(([, line]) => line!.split(" "));
  return [...ofBacklog, counts?.[names?.indexOf("RcvbufErrors") ?? -1]].join(" ");
}

/** Does something with many datagrams, and does it again if one did not come and the system dropped packets. */
async function unlessDropped(act: () => Promise<void>): Promise<void> {
  while (true) {
    const dropped = droppedPackets();
    try {
      return await act();
    } catch (error) {
      const isLost = error instanceof Error && /^Waited /.test(error.message);
      if (!isLost || droppedPackets() === dropped) throw error;
    }
  }
}

/** The first of neighbouring UDP ports that are free now, from outside the range the system hands out. */
async function freeRange(length: number): Promise<number> {
  return await eventually("free UDP ports", async () => {
    const first = await freePort();
    const held: Udp[] = [];
    try {
      for (let i = 0; i < length; i++) held.push(await Udp.bind("127.0.0.1", first + i));
      return first;
    } catch {
      return false;
    } finally {
      for (const udp of held) udp.close();
    }
  });
}
const firstPort = await freeRange(3);

suite("UDP", ({ test }) => {
  test("the reply names the address the client reached the server at", async ({ server }) => {
    const { wire, relay } = await associated(server);
    wire.close();
    assertEquals(relay.host, "127.0.0.1");
  });

  test("behind a wildcard listener the reply names the address reached, never 0.0.0.0", async ({ server }) => {
    using echo = await Udp.echo();
    const { wire, relay } = await associated({ host: "127.0.0.7", port: server.port });
    using _wire = wire;
    assertEquals(relay.host, "127.0.0.7");
    using udp = await Udp.bind();
    await assertEchoes(udp, relay, echo);
  }, { args: ["--listen", "0.0.0.0:0", "--open"] });

  test(
    "an IPv4 client behind an IPv6 wildcard listener is one and the same as its mapped address",
    async ({ server }) => {
      using echo = await Udp.echo();
      const { wire, relay } = await associated({ host: "127.0.0.1", port: server.port });
      using _wire = wire;
      assert(["127.0.0.1", "0:0:0:0:0:ffff:7f00:1"].includes(relay.host), relay.host);
      using udp = await Udp.bind();
      await assertEchoes(udp, { host: "127.0.0.1", port: relay.port }, echo);
    },
    { args: ["--listen", "[::]:0", "--open"] },
  );

  test("datagrams go both ways, and the header names the sender", async ({ server }) => {
    using echo = await Udp.echo();
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    for (let i = 0; i < 5; i++) await assertEchoes(udp, relay, echo, `ping ${i}`);
  });

  test("the client's port may be stated beforehand", async ({ server }) => {
    using echo = await Udp.echo();
    using udp = await Udp.bind();
    using other = await Udp.bind();
    const { wire, relay } = await associated(server, { host: "127.0.0.1", port: udp.port });
    using _wire = wire;
    // Not from the port that was stated: dropped, even though it came first.
    await other.send(relay, packet(echo, "other"));
    await assertEchoes(udp, relay, echo);
    assertEquals([udp.waiting, other.waiting], [0, 0]);
  });

  test("the client's port is learnt from the first valid datagram and then kept", async ({ server }) => {
    using target = await Udp.bind();
    using udp = await Udp.bind();
    using other = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    await other.send(relay, bytes(0, 0, 0, 9, 9, 9));
    await other.send(relay, bytes(0, 0));
    await udp.send(relay, packet(target, "first"));
    assertEquals(hex((await target.receive()).data), hex(bytes("first")));
    await other.send(relay, packet(target, "other"));
    await udp.send(relay, packet(target, "second"));
    assertEquals(hex((await target.receive()).data), hex(bytes("second")));
  });

  test("zeros of IPv6 and a name in the request lock to the peer of the control connection", async ({ server }) => {
    using echo = await Udp.echo();
    for (const address of [socks5Address("::", 0), name5("client.invalid", 0), name5("0.0.0.0", 0)]) {
      using udp = await Udp.bind();
      using wire = await negotiated(server);
      await wire.send(5, ASSOCIATE, 0, address);
      const relay = await readReply(wire);
      assertEquals(relay.code, 0, hex(address));
      await assertEchoes(udp, relay, echo);
    }
  });

  test("an address the client believes to have, behind NAT, does not lock it out", async ({ server }) => {
    using echo = await Udp.echo();
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server, { host: "10.9.8.7" });
    using _wire = wire;
    await assertEchoes(udp, relay, echo);
  });

  test("a UDP datagram from a stranger is dropped", async ({ server }) => {
    using target = await Udp.bind();
    using udp = await Udp.bind();
    using stranger = await Udp.bind("127.0.0.5");
    const { wire, relay } = await associated(server);
    using _wire = wire;
    await stranger.send(relay, packet(target, "stranger, before"));
    await udp.send(relay, packet(target, "client"));
    const first = await target.receive();
    assertEquals(hex(first.data), hex(bytes("client")));
    await stranger.send(relay, packet(target, "stranger, after"));
    await udp.send(relay, packet(target, "client again"));
    assertEquals(hex((await target.receive()).data), hex(bytes("client again")));
    // The answer goes to the client and to nobody else.
    await target.send(first, bytes("answer"));
    assertEquals(unpacked(await udp.receive()).payload, "answer");
    assertEquals(stranger.waiting, 0);
  });

  test("a stranger that knows the client's port number is still a stranger", async ({ server }) => {
    using target = await Udp.bind();
    using udp = await Udp.bind();
    using stranger = await Udp.bind("127.0.0.5", udp.port);
    const { wire, relay } = await associated(server, { host: "127.0.0.1", port: udp.port });
    using _wire = wire;
    await stranger.send(relay, packet(target, "stranger"));
    await udp.send(relay, packet(target, "client"));
    assertEquals(hex((await target.receive()).data), hex(bytes("client")));
  });

  test("a client on another address is locked to that address", async ({ server }) => {
    using target = await Udp.bind();
    using udp = await Udp.bind("127.0.0.5");
    using stranger = await Udp.bind("127.0.0.1");
    const { wire, relay } = await associated(server, { from: "127.0.0.5" });
    using _wire = wire;
    await stranger.send(relay, packet(target, "stranger"));
    await udp.send(relay, packet(target, "client"));
    assertEquals(hex((await target.receive()).data), hex(bytes("client")));
  });

  test("several targets are reached from one and the same port", async ({ server }) => {
    using udp = await Udp.bind();
    const targets = await Promise.all([Udp.bind(), Udp.bind(), Udp.bind("127.0.0.5")]);
    const { wire, relay } = await associated(server);
    using _wire = wire;
    const ports = new Set<number>();
    for (const target of targets) {
      await udp.send(relay, packet(target, `to ${target.port}`));
      const { data, port } = await target.receive();
      assertEquals(hex(data), hex(bytes(`to ${target.port}`)));
      ports.add(port);
    }
    for (const target of targets) target.close();
    assertEquals(ports.size, 1);
  });

  test("a header names the actual sender, also when another one answers", async ({ server }) => {
    using udp = await Udp.bind();
    using asked = await Udp.bind();
    using answering = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    await udp.send(relay, packet(asked, "question"));
    const from = await asked.receive();
    await answering.send(from, bytes("answer"));
    assertEquals(unpacked(await udp.receive()), { host: "127.0.0.1", port: answering.port, payload: "answer" });
  });

  test("an IPv6 target is reached, and answers with an IPv6 header", async ({ server }) => {
    using echo6 = await Udp.echo("::1");
    using echo4 = await Udp.echo();
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    await assertEchoes(udp, relay, echo6);
    await assertEchoes(udp, relay, echo4);
    await assertEchoes(udp, relay, echo6);
  });

  test("a name as target is resolved, and its answer names an IP", async ({ server }) => {
    using echo = await Udp.echo();
    using echo6 = await Udp.echo("::1");
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    await udp.send(relay, bytes(0, 0, 0, name5("127.0.0.1", echo.port), "literal"));
    assertEquals(unpacked(await udp.receive()), { host: "127.0.0.1", port: echo.port, payload: "literal" });
    await udp.send(relay, bytes(0, 0, 0, name5("::1", echo6.port), "literal"));
    assertEquals(unpacked(await udp.receive()), { host: "::1", port: echo6.port, payload: "literal" });
  });

  test("localhost as target is resolved once and reached", async ({ server }) => {
    // The same port on both families, as the name may mean either.
    const { four, six } = await eventually("a port that both families have free", async () => {
      const four = await Udp.echo();
      try {
        const six = await Udp.bind("::1", four.port);
        six.close();
        return { four, six: await Udp.echo("::1") };
      } catch {
        four.close();
        return false;
      }
    });
    using _four = four;
    using _six = six;
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    await udp.send(relay, bytes(0, 0, 0, name5("localhost", four.port), "by name"));
    const answer = unpacked(await udp.receive());
    assertEquals([answer.host, answer.port, answer.payload], ["127.0.0.1", four.port, "by name"]);
  });

  test("empty payloads are relayed both ways", async ({ server }) => {
    using target = await Udp.bind();
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    await udp.send(relay, packet(target, ""));
    const got = await target.receive();
    assertEquals(got.data.length, 0);
    await target.send(got, new Uint8Array(0));
    assertEquals(unpacked(await udp.receive()), { host: "127.0.0.1", port: target.port, payload: "" });
  });

  test("payloads of 60,000 bytes are relayed whole", async ({ server }) => {
    using echo = await Udp.echo();
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    const payload = pseudoRandom(3).fill(60_000);
    await udp.send(relay, packet(echo, payload));
    const { data } = await udp.receive();
    assertEquals(data.length, 60_010);
    assertEquals(data.subarray(10).every((byte, i) => byte === payload[i]), true);
  });

  test("malformed datagrams are dropped and the association lives on", async ({ server }) => {
    using target = await Udp.bind();
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    const good = packet(target, "");
    const name = bytes(0, 0, 0, name5("localhost", target.port));
    const bad = [
      ...Array.from({ length: good.length }, (_, length) => good.subarray(0, length)),
      ...Array.from({ length: name.length }, (_, length) => name.subarray(0, length)),
      bytes(0, 0, 0, 9, 127, 0, 0, 1, portBytes(target.port), "unknown type"),
      bytes(0, 0, 0, 0, portBytes(target.port), "no type"),
      bytes(0, 0, 0, 3, 0, portBytes(target.port), "empty name"),
      bytes(0, 0, 0, 3, 255, "short", portBytes(target.port)),
      bytes(0, 0, 0, name5("local\0host", target.port), "NUL in the name"),
      packet({ host: "127.0.0.1", port: 0 }, "port 0"),
      packet({ host: "0.0.0.0", port: target.port }, "address 0"),
      packet({ host: "::", port: target.port }, "address 0"),
      bytes(0, 0, 0, name5("0.0.0.0", target.port), "address 0 in a name"),
      new Uint8Array(2000).fill(0xff),
    ];
    for (const [i, data] of bad.entries()) {
      await udp.send(relay, data);
      // Each is followed by a good one, so that no queue overflows.
      await udp.send(relay, packet(target, `good ${i}`));
      assertEquals(hex((await target.receive()).data), hex(bytes(`good ${i}`)), hex(data.subarray(0, 32)));
    }
  });

  test("a name that does not resolve is dropped and the association lives on", async ({ server }) => {
    using echo = await Udp.echo();
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    await udp.send(relay, bytes(0, 0, 0, name5("nonexistent.invalid", 53), "lost"));
    await assertEchoes(udp, relay, echo);
  });

  test("a closed port of a target does not end the association", async ({ server }) => {
    using echo = await Udp.echo();
    using echo6 = await Udp.echo("::1");
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    for (const host of ["127.0.0.1", "::1"]) {
      const closed = await Udp.bind(host);
      closed.close();
      for (let i = 0; i < 3; i++) await udp.send(relay, packet({ host, port: closed.port }, "nobody"));
      await assertEchoes(udp, relay, host === "::1" ? echo6 : echo);
    }
  });

  test("a client that closes its UDP port for a while does not end the association", async ({ server }) => {
    using target = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    const udp = await Udp.bind();
    await udp.send(relay, packet(target, "hello"));
    const from = await target.receive();
    udp.close();
    for (let i = 0; i < 5; i++) await target.send(from, bytes("nobody there"));
    using again = await eventually("the port to be free", () => Udp.bind("127.0.0.1", udp.port).catch(() => undefined));
    await again.send(relay, packet(target, "back"));
    assertEquals(hex((await target.receive()).data), hex(bytes("back")));
  });

  test("fragments are put together", async ({ server }) => {
    using target = await Udp.bind();
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    const send = (payload: string, fragment: number) => udp.send(relay, packet(target, payload, fragment));
    await send("one ", 1);
    await send("two ", 2);
    await send("three", 0x83);
    assertEquals(hex((await target.receive()).data), hex(bytes("one two three")));
    await send("again ", 1);
    await send("and again", 0x82);
    assertEquals(hex((await target.receive()).data), hex(bytes("again and again")));
  });

  test("a fragment lower than the highest begins a new sequence", async ({ server }) => {
    using target = await Udp.bind();
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    const send = (payload: string, fragment: number) => udp.send(relay, packet(target, payload, fragment));
    await send("old ", 1);
    await send("old ", 2);
    await send("new ", 1);
    await send("end", 0x82);
    assertEquals(hex((await target.receive()).data), hex(bytes("new end")));
  });

  test("a sequence with a gap is dropped, a datagram that stands alone is not", async ({ server }) => {
    using target = await Udp.bind();
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    const send = (payload: string, fragment: number) => udp.send(relay, packet(target, payload, fragment));
    await send("one ", 1);
    await send("three", 0x83);
    await send("alone", 0);
    assertEquals(hex((await target.receive()).data), hex(bytes("alone")));
    await send("last without a first", 0x85);
    await send("alone again", 0);
    assertEquals(hex((await target.receive()).data), hex(bytes("alone again")));
  });

  test("endless fragments do not grow memory", async ({ server }) => {
    using target = await Udp.bind();
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    await udp.send(relay, packet(target, "warm"));
    await target.receive();
    const before = server.rssKiB();
    const block = new Uint8Array(30_000);
    for (let round = 0; round < 30; round++) {
      for (let fragment = 1; fragment < 100; fragment += 9) await udp.send(relay, packet(target, block, fragment));
      // The system drops what a relay that is not given its turn has no room for: this one too, perhaps.
      await eventually("a datagram to come through after the fragments", async () => {
        await udp.send(relay, packet(target, `round ${round}`));
        return await target.receive(500).then(() => true, () => false);
      });
    }
    assert(server.rssKiB() - before < 64 * 1024, `grew by ${server.rssKiB() - before} KiB`);
  });

  test("stray bytes on the control connection are ignored", async ({ server }) => {
    using echo = await Udp.echo();
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    await assertEchoes(udp, relay, echo);
    await wire.send(request5(1, "127.0.0.1", 9), "stray bytes");
    await wire.write(new Uint8Array(200_000));
    await assertEchoes(udp, relay, echo);
    assertEquals(wire.ending, undefined);
  });

  test("an association ends with its control connection", async ({ server }) => {
    using echo = await Udp.echo();
    for (const leave of ["finish", "close", "reset"] as const) {
      using udp = await Udp.bind();
      const { wire, relay } = await associated(server);
      await assertEchoes(udp, relay, echo);
      wire[leave]();
      const freed = await eventually("the relay's port to be closed", () => {
        return Udp.bind(relay.host, relay.port).catch(() => undefined);
      });
      freed.close();
      wire.close();
    }
  });

  test("associations leave no descriptor behind", async ({ server }) => {
    using echo = await Udp.echo();
    using echo6 = await Udp.echo("::1");
    const round = async () => {
      using udp = await Udp.bind();
      const { wire, relay } = await associated(server);
      await assertEchoes(udp, relay, echo);
      await assertEchoes(udp, relay, echo6);
      wire.close();
    };
    await round();
    await round();
    const settled = server.openFiles();
    for (let i = 0; i < 30; i++) await round();
    await eventually("the descriptors to be closed", () => server.openFiles() <= settled + 2);
  });

  test("datagrams that follow each other closely keep their headers and payloads", async ({ server }) => {
    await unlessDropped(async () => {
      using udp = await Udp.bind();
      const echoes = await Promise.all([Udp.echo(), Udp.echo(), Udp.echo("::1")]);
      const { wire, relay } = await associated(server);
      using _wire = wire;
      for (let round = 0; round < 20; round++) {
        const expected = new Set<string>();
        for (let i = 0; i < 10; i++) {
          const echo = echoes[i % 3]!;
          const payload = `${round}.${i} ${"x".repeat(i * 17)}`;
          expected.add(`${echo.host} ${echo.port} ${payload}`);
          await udp.send(relay, packet(echo, payload));
        }
        while (expected.size > 0) {
          const { host, port, payload } = unpacked(await udp.receive());
          assert(expected.delete(`${host} ${port} ${payload}`), `unexpected: ${host}:${port} ${payload}`);
        }
      }
      for (const echo of echoes) echo.close();
    });
  });

  test("two associations do not mix", async ({ server }) => {
    using echo = await Udp.echo();
    const [one, two] = [await associated(server), await associated(server)];
    using _one = one.wire;
    using _two = two.wire;
    assertNotEquals(one.relay.port, two.relay.port);
    using first = await Udp.bind();
    using second = await Udp.bind();
    for (let i = 0; i < 5; i++) {
      await assertEchoes(first, one.relay, echo, `first ${i}`);
      await assertEchoes(second, two.relay, echo, `second ${i}`);
    }
  });

  test("--udp-ports bounds the relay's ports, says so when none is left, and they come back", async ({ server }) => {
    const open: Wire[] = [];
    const ports = new Set<number>();
    let refused = 0;
    for (let i = 0; i < 4; i++) {
      const { wire, reply } = await asked(server, ASSOCIATE, "0.0.0.0", 0);
      open.push(wire);
      if (reply.code === 0) ports.add(reply.port);
      else refused++;
    }
    assert(ports.size >= 1 && refused >= 1, `${ports.size} granted, ${refused} refused`);
    for (const port of ports) assert(port >= firstPort && port <= firstPort + 2, `port ${port}`);
    for (const wire of open) wire.close();
    await eventually("a port of the range to be free again", async () => {
      const { wire, reply } = await asked(server, ASSOCIATE, "0.0.0.0", 0);
      wire.close();
      return reply.code === 0;
    });
  }, { args: ["--udp-ports", `${firstPort}-${firstPort + 2}`] });

  test("--advertise states the address of the reply, and the relay works", async ({ server }) => {
    using echo = await Udp.echo();
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    assertEquals(relay.host, "203.0.113.7");
    await assertEchoes(udp, { host: "127.0.0.1", port: relay.port }, echo);
  }, { args: ["--advertise", "203.0.113.7"] });

  test("an association outlives the handshake's time without a first datagram", async ({ server }) => {
    using echo = await Udp.echo();
    using udp = await Udp.bind();
    const { wire, relay } = await inTime(1_000, () => associated(server));
    using _wire = wire;
    // One that comes later and says nothing is hung up on: the time has passed.
    using silent = await Wire.connect(server);
    await silent.readToEnd();
    await assertEchoes(udp, relay, echo);
  }, { args: ["--handshake-timeout", "1"] });

  test("an idle association ends after --idle-timeout, and its control connection with it", async ({ server }) => {
    using echo = await Udp.echo();
    const { wire, relay } = await inTime(1_000, async () => {
      using udp = await Udp.bind();
      const { wire, relay } = await associated(server);
      await assertEchoes(udp, relay, echo);
      return { wire, relay };
    });
    using _wire = wire;
    assertEquals((await wire.readToEnd()).data.length, 0);
    (await eventually("the relay's port to be closed", () => Udp.bind(relay.host, relay.port).catch(() => undefined)))
      .close();
  }, { args: ["--idle-timeout", "1"] });

  test("over IPv6 both families are reached", async ({ server }) => {
    using echo4 = await Udp.echo();
    using echo6 = await Udp.echo("::1");
    using udp = await Udp.bind("::1");
    const { wire, relay } = await associated(server, { host: "::" });
    using _wire = wire;
    assertEquals(relay.host, "::1");
    await assertEchoes(udp, relay, echo4);
    await assertEchoes(udp, relay, echo6);
  }, { args: ["--listen", "[::1]:0"] });

  test("a user's association is as good as anybody's, and nobody else's is granted", async ({ server }) => {
    using echo = await Udp.echo();
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server, { user: ["alice", "secret"] });
    using _wire = wire;
    await assertEchoes(udp, relay, echo);
    using stranger = await Wire.connect(server);
    await stranger.send(5, 1, 0, request5(ASSOCIATE, "0.0.0.0", 0));
    assertEquals(hex((await stranger.readToEnd()).data), "05 ff");
  }, { args: ["--user", "alice:secret"] });

  test("thousands of destinations in one association cost neither descriptors nor much memory", async ({ server }) => {
    using target = await Udp.bind();
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    await udp.send(relay, packet(target, "warm"));
    await target.receive();
    const [files, memory] = [server.openFiles(), server.rssKiB()];
    const nobody = (await closedPort()) || 9;
    for (let i = 0; i < 3_000; i++) {
      await udp.send(relay, packet({ host: `127.${1 + (i >> 8)}.${i & 0xff}.1`, port: nobody }, "x"));
      if (i % 50 === 49) await settle(`${i}`);
    }
    for (let i = 0; i < 500; i++) {
      await udp.send(relay, bytes(0, 0, 0, name5(`127.0.0.${i & 0xff}`, nobody), "x"));
      if (i % 50 === 49) await settle(`name ${i}`);
    }
    await eventually("as few descriptors as before", () => server.openFiles() <= files + 3);
    assert(server.rssKiB() - memory < 64 * 1024, `grew by ${server.rssKiB() - memory} KiB`);
    async function settle(word: string): Promise<void> {
      await eventually("a datagram to come through", async () => {
        await udp.send(relay, packet(target, word));
        return await target.receive(500).then(() => true, () => false);
      });
    }
  });

  test("a flood of datagrams leaves the server well", async ({ server }) => {
    using target = await Udp.bind();
    using echo = await Target.echo();
    using udp = await Udp.bind();
    const { wire, relay } = await associated(server);
    using _wire = wire;
    const before = server.rssKiB();
    const block = new Uint8Array(1_000);
    for (let i = 0; i < 5_000; i++) await udp.send(relay, packet(target, block));
    await assertServes(server, echo);
    await eventually("a datagram to come through after the flood", async () => {
      await udp.send(relay, packet(target, "after"));
      for (let waiting = target.waiting; waiting > 0; waiting--) {
        if ((await target.receive()).data.length === 5) return true;
      }
      return false;
    });
    assert(server.rssKiB() - before < 128 * 1024, `grew by ${server.rssKiB() - before} KiB`);
  });
});
