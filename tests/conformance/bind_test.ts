import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { bytes, eventually, hex, portBytes, Target, type To, Wire } from "./_client.ts";
import {
  asked,
  assertEnds,
  BIND,
  name5,
  negotiated,
  readReply,
  readReply4,
  type Reply,
  type Reply4,
  request4,
  request5,
} from "./_socks.ts";
import { suite } from "./_suite.ts";

/** A BIND whose first reply must be a success; `at` is where peers connect to. */
async function bound(to: To, expected = "0.0.0.0"): Promise<{ wire: Wire; reply: Reply; at: To }> {
  const { wire, reply } = await asked(to, BIND, expected, 0);
  assertEquals(reply.code, 0, "first reply of BIND");
  assertNotEquals(reply.port, 0);
  return { wire, reply, at: reply };
}

/** The same in SOCKS4, where an address of zeros means the one the server was reached at. */
async function bound4(to: To, expected = "0.0.0.0"): Promise<{ wire: Wire; reply: Reply4; at: To }> {
  const wire = await Wire.connect(to);
  await wire.write(request4(BIND, expected, 0, "user"));
  const reply = await readReply4(wire);
  assertEquals(reply.code, 90, "first reply of BIND");
  assertNotEquals(reply.port, 0);
  return { wire, reply, at: { host: reply.host === "0.0.0.0" ? to.host : reply.host, port: reply.port } };
}

/** Checks that nobody listens there any more. */
async function assertListenerCloses(at: To): Promise<void> {
  await eventually("the listener of BIND to be closed", async () => {
    try {
      (await Wire.connect(at)).close();
      return false;
    } catch {
      return true;
    }
  });
}

/** Checks that both ends reach each other, both ways, and that FIN goes through. */
async function assertJoined(wire: Wire, peer: Wire): Promise<void> {
  await wire.send("from the client");
  assertEquals(hex(await peer.read(15)), hex(bytes("from the client")));
  await peer.send("from the peer");
  assertEquals(hex(await wire.read(13)), hex(bytes("from the peer")));
  peer.finish();
  await assertEnds(wire);
  wire.finish();
  await assertEnds(peer);
}

suite("BIND", ({ test }) => {
  test("the first reply says where it listens, the second who came", async ({ server }) => {
    const { wire, reply, at } = await bound(server);
    using _wire = wire;
    assertEquals(reply.host, "127.0.0.1");
    using peer = await Wire.connect(at);
    const second = await readReply(wire);
    assertEquals([second.code, second.host, second.port], [0, "127.0.0.1", peer.localPort]);
    await assertJoined(wire, peer);
  });

  test("the expected peer is let in, from whatever port", async ({ server }) => {
    const { wire, at } = await bound(server, "127.0.0.5");
    using _wire = wire;
    using peer = await Wire.connect(at, { from: "127.0.0.5" });
    const second = await readReply(wire);
    assertEquals([second.code, second.host, second.port], [0, "127.0.0.5", peer.localPort]);
    await assertJoined(wire, peer);
  });

  test("another peer than the expected gets a failure reply, and both are closed", async ({ server }) => {
    const { wire, at } = await bound(server, "127.0.0.5");
    using _wire = wire;
    using peer = await Wire.connect(at, { from: "127.0.0.6" });
    assertNotEquals((await readReply(wire)).code, 0);
    await assertEnds(wire);
    assertEquals((await peer.readToEnd()).data.length, 0);
    await assertListenerCloses(at);
  });

  test("what the peer says at once is not lost", async ({ server }) => {
    const { wire, at } = await bound(server);
    using _wire = wire;
    using peer = await Wire.connect(at);
    await peer.send("220 first words\r\n");
    peer.finish();
    assertEquals((await readReply(wire)).code, 0);
    assertEquals(hex(await wire.read(17)), hex(bytes("220 first words\r\n")));
    await assertEnds(wire);
  });

  test("only one peer is let in", async ({ server }) => {
    const { wire, at } = await bound(server);
    using _wire = wire;
    using _peer = await Wire.connect(at);
    assertEquals((await readReply(wire)).code, 0);
    await assertListenerCloses(at);
  });

  test("two BINDs have a port each and do not mix", async ({ server }) => {
    const [one, two] = [await bound(server), await bound(server)];
    using _one = one.wire;
    using _two = two.wire;
    assertNotEquals(one.at.port, two.at.port);
    using peer2 = await Wire.connect(two.at);
    using peer1 = await Wire.connect(one.at);
    assertEquals((await readReply(two.wire)).port, peer2.localPort);
    assertEquals((await readReply(one.wire)).port, peer1.localPort);
    await assertJoined(one.wire, peer1);
    await assertJoined(two.wire, peer2);
  });

  test("a name as the expected peer means its address", async ({ server }) => {
    for (const name of ["127.0.0.5", "localhost"]) {
      using wire = await negotiated(server);
      await wire.write(bytes(5, BIND, 0, name5(name, 4321)));
      const first = await readReply(wire);
      assertEquals(first.code, 0, name);
      // A listener of IPv6 is what a resolver that prefers ::1 for localhost may lead to.
      if (name === "localhost" && first.host !== "127.0.0.1") continue;
      using peer = await Wire.connect(first, { from: name === "localhost" ? "127.0.0.1" : name });
      assertEquals((await readReply(wire)).code, 0, name);
      await assertJoined(wire, peer);
    }
  });

  test("a client that goes away while waiting closes the listener", async ({ server }) => {
    for (const leave of ["finish", "close", "reset"] as const) {
      const { wire, at } = await bound(server);
      wire[leave]();
      await assertListenerCloses(at);
      wire.close();
    }
  });

  test("BIND ends with a failure reply when nobody comes within --bind-timeout", async ({ server }) => {
    const { wire, at } = await bound(server);
    using _wire = wire;
    assertNotEquals((await readReply(wire)).code, 0);
    await assertEnds(wire);
    await assertListenerCloses(at);
  }, { args: ["--bind-timeout", "1"] });

  test("--advertise states the address of the first reply", async ({ server }) => {
    const { wire, reply } = await bound(server);
    using _wire = wire;
    assertEquals(reply.host, "203.0.113.7");
    using peer = await Wire.connect({ host: "127.0.0.1", port: reply.port });
    assertEquals((await readReply(wire)).code, 0);
    await assertJoined(wire, peer);
  }, { args: ["--advertise", "203.0.113.7"] });

  test("SOCKS4: the first reply says where it listens, the second who came", async ({ server }) => {
    const { wire, reply, at } = await bound4(server);
    using _wire = wire;
    assert(["0.0.0.0", "127.0.0.1"].includes(reply.host), reply.host);
    using peer = await Wire.connect(at);
    const second = await readReply4(wire);
    assertEquals(second.code, 90);
    await assertJoined(wire, peer);
  });

  test("SOCKS4: another peer than the expected gets 91, and both are closed", async ({ server }) => {
    const { wire, at } = await bound4(server, "127.0.0.5");
    using _wire = wire;
    using peer = await Wire.connect(at, { from: "127.0.0.6" });
    assertEquals((await readReply4(wire)).code, 91);
    await assertEnds(wire);
    assertEquals((await peer.readToEnd()).data.length, 0);
  });

  test("SOCKS4: the expected peer is let in", async ({ server }) => {
    const { wire, at } = await bound4(server, "127.0.0.5");
    using _wire = wire;
    using peer = await Wire.connect(at, { from: "127.0.0.5" });
    assertEquals((await readReply4(wire)).code, 90);
    await assertJoined(wire, peer);
  });

  test("SOCKS4a: BIND takes a name for the expected peer", async ({ server }) => {
    using wire = await Wire.connect(server);
    await wire.write(request4(BIND, "0.0.0.1", 0, "user", "127.0.0.5"));
    const first = await readReply4(wire);
    assertEquals(first.code, 90);
    using peer = await Wire.connect({ host: "127.0.0.1", port: first.port }, { from: "127.0.0.5" });
    assertEquals((await readReply4(wire)).code, 90);
    await assertJoined(wire, peer);
  });

  test("SOCKS4: nobody within --bind-timeout is 91 and a close", async ({ server }) => {
    const { wire, at } = await bound4(server);
    using _wire = wire;
    assertEquals((await readReply4(wire)).code, 91);
    await assertEnds(wire);
    await assertListenerCloses(at);
  }, { args: ["--bind-timeout", "1"] });

  test("over IPv6 the first reply carries the IPv6 address the client reached", async ({ server }) => {
    const { wire, reply, at } = await bound(server, "::1");
    using _wire = wire;
    assertEquals(reply.host, "::1");
    using peer = await Wire.connect(at);
    const second = await readReply(wire);
    assertEquals([second.code, second.host, second.port], [0, "::1", peer.localPort]);
    await assertJoined(wire, peer);
  }, { args: ["--listen", "[::1]:0"] });

  test("SOCKS4a: BIND for an IPv6 peer fails, since its address cannot be expressed", async ({ server }) => {
    using wire = await Wire.connect(server);
    await wire.write(request4(BIND, "0.0.0.1", 0, "user", "::1"));
    assertEquals((await readReply4(wire)).code, 91);
    await assertEnds(wire);
  });

  test("SOCKS4 over IPv6: BIND for any peer fails or states an IPv4 address that peers reach", async ({ server }) => {
    using wire = await Wire.connect(server);
    await wire.write(request4(BIND, "0.0.0.0", 0));
    const first = await readReply4(wire);
    if (first.code === 91) return await assertEnds(wire);
    assertEquals(first.code, 90);
    // Zeros would mean the address the server was reached at, and that one is IPv6.
    assertNotEquals(first.host, "0.0.0.0");
    using peer = await Wire.connect(first);
    assertEquals((await readReply4(wire)).code, 90);
    await assertJoined(wire, peer);
  }, { args: ["--listen", "[::1]:0"] });

  test("a BIND that was joined leaves no descriptor behind", async ({ server }) => {
    using echo = await Target.echo();
    using warm = await Wire.connect(echo);
    warm.close();
    const round = async () => {
      const { wire, at } = await bound(server);
      using peer = await Wire.connect(at);
      await readReply(wire);
      await assertJoined(wire, peer);
      wire.close();
    };
    await round();
    const settled = await eventually("a settled number of descriptors", () => server.openFiles());
    for (let i = 0; i < 20; i++) await round();
    await eventually("the descriptors to be closed", () => server.openFiles() <= settled + 2);
  });

  test("several requests of BIND in one go wait side by side", async ({ server }) => {
    const many = await Promise.all(Array.from({ length: 20 }, () => bound(server)));
    assertEquals(new Set(many.map(({ at }) => at.port)).size, many.length);
    await Promise.all(many.map(async ({ wire, at }) => {
      using _wire = wire;
      using peer = await Wire.connect(at);
      assertEquals((await readReply(wire)).port, peer.localPort);
    }));
  });

  test("a BIND request with any port is the same: the port is not compared", async ({ server }) => {
    for (const port of [1, 80, 65535]) {
      using wire = await negotiated(server);
      await wire.send(request5(BIND, "127.0.0.1", port).subarray(0, -2), portBytes(port));
      const first = await readReply(wire);
      assertEquals(first.code, 0);
      using _peer = await Wire.connect(first);
      assertEquals((await readReply(wire)).code, 0);
    }
  });
});
