import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { bytes, closedPort, hex, portBytes, Target, type To, Wire } from "./_client.ts";
import {
  asked,
  assertEnds,
  assertServes,
  ASSOCIATE,
  BIND,
  CONNECT,
  GREETING,
  name5,
  negotiated,
  NO_NAME,
  readReply,
  type Reply,
  request5,
} from "./_socks.ts";
import { suite } from "./_suite.ts";

/** Sends a request's bytes, and checks that a failure reply and a close come back. */
async function failure(to: To, request: Uint8Array, ms?: number): Promise<Reply> {
  using wire = await negotiated(to);
  await wire.write(request);
  const reply = await readReply(wire, ms);
  assertNotEquals(reply.code, 0);
  await assertEnds(wire);
  return reply;
}

suite("replies", ({ test }) => {
  test("success carries the local address of the outgoing socket", async ({ server }) => {
    using target = await Target.listen();
    const { wire, reply } = await asked(server, CONNECT, "127.0.0.1", target.port);
    using _wire = wire;
    using peer = await target.accept();
    assertEquals([reply.code, reply.host, reply.port], [0, peer.remoteAddress, peer.remotePort]);
  });

  test("success towards IPv6 carries an IPv6 address", async ({ server }) => {
    using target = await Target.listen({ host: "::1" });
    const { wire, reply } = await asked(server, CONNECT, "::1", target.port);
    using _wire = wire;
    using peer = await target.accept();
    assertEquals([reply.code, reply.host, reply.port], [0, "::1", peer.remotePort]);
  });

  test("success of a name carries an address, not a name", async ({ server }) => {
    using target = await Target.listen();
    const { wire, reply } = await asked(server, CONNECT, "localhost", target.port);
    using _wire = wire;
    using peer = await target.accept();
    assertEquals([reply.code, reply.host, reply.port], [0, "127.0.0.1", peer.remotePort]);
  });

  test("a name with several addresses reaches the family that listens", async ({ server }) => {
    using four = await Target.echo({ host: "127.0.0.1" });
    await assertServes(server, { host: "localhost", port: four.port });
    using six = await Target.echo({ host: "::1" });
    using wire = await negotiated(server);
    await wire.write(request5(CONNECT, "localhost", six.port));
    const reply = await readReply(wire);
    // A machine whose localhost has no IPv6 address cannot get there.
    assert(reply.code === 0 || reply.code === 5, `reply ${reply.code}`);
  });

  test("a refused port is 05", async ({ server }) => {
    assertEquals((await failure(server, request5(CONNECT, "127.0.0.1", await closedPort()))).code, 5);
    assertEquals((await failure(server, request5(CONNECT, "::1", await closedPort("::1")))).code, 5);
    assertEquals((await failure(server, request5(CONNECT, "localhost", await closedPort()))).code, 5);
  });

  test("a name that does not resolve is 04", async ({ server }) => {
    assertEquals((await failure(server, request5(CONNECT, NO_NAME, 80))).code, 4);
  });

  test("a CONNECT to the server's own listener is 02, however it is written", async ({ server }) => {
    const mapped = bytes(4, new Uint8Array(10), 0xff, 0xff, 127, 0, 0, 1, portBytes(server.port));
    for (
      const address of [
        bytes(1, 127, 0, 0, 1, portBytes(server.port)),
        name5("127.0.0.1", server.port),
        name5("localhost", server.port),
        name5("::ffff:127.0.0.1", server.port),
        name5("[::ffff:127.0.0.1]", server.port),
        name5("2130706433", server.port),
        name5("0x7f.1", server.port),
        name5("0177.0.0.1", server.port),
        mapped,
      ]
    ) {
      const { code } = await failure(server, bytes(5, CONNECT, 0, address));
      // A form that nobody reads as an address may also fail as a name or as invalid; localhost may end at ::1.
      assert([1, 2, 4, 5, 8].includes(code), `${hex(address)} got ${code}`);
      if (address[0] === 1 || hex(address) === hex(mapped)) assertEquals(code, 2, hex(address));
    }
    assertEquals((await failure(server, request5(CONNECT, "127.0.0.1", server.port))).code, 2);
  });

  test("a request is never handed back to the server's own listener", async ({ server }) => {
    const before = server.output().length;
    for (const name of ["localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "0.0.0.0", "[::]", "::"]) {
      using wire = await negotiated(server);
      await wire.write(bytes(5, CONNECT, 0, name5(name, server.port)));
      assertNotEquals((await readReply(wire)).code, 0, name);
    }
    assert(!/\bat \S+:\d+:\d+/.test(server.output().slice(before)), "a stack trace in the log");
  });

  test("an unknown command is 07 and a close", async ({ server }) => {
    for (const command of [0, 4, 5, 0x7f, 0xff]) {
      assertEquals((await failure(server, request5(command, "127.0.0.1", 80))).code, 7, `command ${command}`);
    }
  });

  test("an unknown address type is 08 and a close, with no further byte awaited", async ({ server }) => {
    for (const type of [0, 2, 5, 6, 0xff]) {
      assertEquals((await failure(server, bytes(5, CONNECT, 0, type))).code, 8, `type ${type}`);
      assertEquals((await failure(server, bytes(5, CONNECT, 0, type, 1, 2, 3, 4, 0, 80))).code, 8, `type ${type}`);
    }
  });

  test("RSV of a request is ignored", async ({ server }) => {
    using target = await Target.listen();
    for (const rsv of [1, 4, 0x80, 0xff]) {
      using wire = await negotiated(server);
      await wire.send(5, CONNECT, rsv, 1, 127, 0, 0, 1, portBytes(target.port));
      assertEquals((await readReply(wire)).code, 0);
    }
  });

  test("a request whose version is not 05 is not carried out", async ({ server }) => {
    using target = await Target.listen();
    for (const version of [0, 1, 4, 6]) {
      using wire = await negotiated(server);
      await wire.send(version, CONNECT, 0, 1, 127, 0, 0, 1, portBytes(target.port));
      const { data } = await wire.readToEnd();
      assert(data.length === 0 || (data[0] === 5 && data[1] !== 0), hex(data));
    }
    assertEquals(target.accepted, 0);
  });

  test("port 0 is an error", async ({ server }) => {
    await failure(server, request5(CONNECT, "127.0.0.1", 0));
    await failure(server, request5(CONNECT, "localhost", 0));
    await failure(server, request5(CONNECT, "::1", 0));
  });

  test("address 0 is an error and does not mean localhost", async ({ server }) => {
    using target = await Target.listen();
    using target6 = await Target.listen({ host: "::1" });
    const mapped = bytes(5, CONNECT, 0, 4, new Uint8Array(10), 0xff, 0xff, 0, 0, 0, 0, portBytes(target.port));
    await failure(server, request5(CONNECT, "0.0.0.0", target.port));
    await failure(server, request5(CONNECT, "::", target6.port));
    await failure(server, mapped);
    for (const name of ["0.0.0.0", "::", "[::]", "0", "::ffff:0.0.0.0", "0x0", "00.0.0.0"]) {
      await failure(server, bytes(5, CONNECT, 0, name5(name, target.port)));
      await failure(server, bytes(5, CONNECT, 0, name5(name, target6.port)));
    }
    assertEquals([target.accepted, target6.accepted], [0, 0]);
  });

  test("an empty name, NUL and control characters in a name are errors", async ({ server }) => {
    using target = await Target.listen();
    for (
      const name of ["", "\0", "local\0host", "localhost\0", "127.0.0.1\0", "local\nhost", "\x7f", " localhost", "a b"]
    ) {
      await failure(server, bytes(5, CONNECT, 0, name5(name, target.port)));
    }
    for (const name of [bytes(0xff, 0xfe), bytes(0xc3, 0x28)]) {
      await failure(server, bytes(5, CONNECT, 0, 3, name.length, name, portBytes(target.port)));
    }
    assertEquals(target.accepted, 0);
  });

  test("a name of 255 bytes is read whole and fails", async ({ server }) => {
    await failure(server, bytes(5, CONNECT, 0, name5("x".repeat(255), 80)));
    await failure(server, bytes(5, CONNECT, 0, name5(`${"y".repeat(60)}.`.repeat(4) + "invalid", 80)));
  });

  test("a literal in a name is the address it spells", async ({ server }) => {
    using four = await Target.echo();
    using six = await Target.echo({ host: "::1" });
    for (const name of ["127.0.0.1"]) {
      using wire = await negotiated(server);
      await wire.write(bytes(5, CONNECT, 0, name5(name, four.port)));
      const reply = await readReply(wire);
      assertEquals([reply.code, reply.host], [0, "127.0.0.1"], name);
    }
    for (const name of ["::1", "[::1]", "0:0:0:0:0:0:0:1"]) {
      using wire = await negotiated(server);
      await wire.write(bytes(5, CONNECT, 0, name5(name, six.port)));
      const reply = await readReply(wire);
      assertEquals([reply.code, reply.host], [0, "::1"], name);
    }
  });

  test("a v4-mapped address reaches its IPv4 target", async ({ server }) => {
    using target = await Target.listen();
    using wire = await negotiated(server);
    await wire.send(5, CONNECT, 0, 4, new Uint8Array(10), 0xff, 0xff, 127, 0, 0, 1, portBytes(target.port));
    assertEquals((await readReply(wire)).code, 0);
  });

  test("a failure reply has an address of zeros and RSV 0", async ({ server }) => {
    const { raw } = await failure(server, request5(CONNECT, "127.0.0.1", await closedPort()));
    assertEquals(hex(raw), "05 05 00 01 00 00 00 00 00 00");
  });

  test("success is never sent before the dial's result", async ({ server }) => {
    // The name fails only after a lookup: an early success would be seen before it.
    using wire = await Wire.connect(server);
    await wire.send(GREETING, request5(CONNECT, NO_NAME, 80), "GET / HTTP/1.1\r\n\r\n");
    assertEquals(hex(await wire.read(2)), "05 00");
    assertEquals((await readReply(wire)).code, 4);
    const { data } = await wire.readToEnd();
    assertEquals(data.length, 0);
  });

  test("BIND and UDP ASSOCIATE with an unknown address type are 08", async ({ server }) => {
    assertEquals((await failure(server, bytes(5, BIND, 0, 9))).code, 8);
    assertEquals((await failure(server, bytes(5, ASSOCIATE, 0, 9))).code, 8);
  });
});
