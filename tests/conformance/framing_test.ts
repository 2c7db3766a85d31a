import { assertEquals } from "@std/assert";
import { bytes, hex, LOOPBACK6, portBytes, pseudoRandom, Target, Wire } from "./_client.ts";
import { assertEnds, GREETING, password, readReply, readReply4, request4, request5, socks5Address } from "./_socks.ts";
import { suite } from "./_suite.ts";

const USERS = ["--user", "alice:secret"];
const PAYLOAD = "the first words";
const text = (data: Uint8Array) => new TextDecoder().decode(data);

/** Sends `parts` and checks the answers: of the negotiation, of the request, and of the echo behind it. */
async function converse(to: { host: string; port: number }, parts: Uint8Array[], negotiation: string): Promise<void> {
  using wire = await Wire.connect(to);
  await wire.sendEach(parts);
  assertEquals(hex(await wire.read((negotiation.length + 1) / 3)), negotiation);
  assertEquals((await readReply(wire)).code, 0);
  assertEquals(text(await wire.read(PAYLOAD.length)), PAYLOAD);
}

suite("framing", ({ test }) => {
  test("greeting, authentication, request and payload may be split at every point", async ({ server }) => {
    using echo = await Target.echo();
    const whole = bytes([5, 2, 0, 2], password("alice", "secret"), request5(1, "127.0.0.1", echo.port), PAYLOAD);
    for (let at = 1; at < whole.length; at++) {
      await converse(server, [whole.subarray(0, at), whole.subarray(at)], "05 02 01 00");
    }
  }, { args: USERS });

  test("greeting, authentication, request and payload may come in one segment", async ({ server }) => {
    using echo = await Target.echo();
    const whole = bytes([5, 1, 2], password("alice", "secret"), request5(1, "127.0.0.1", echo.port), PAYLOAD);
    await converse(server, [whole], "05 02 01 00");
  }, { args: USERS });

  test("greeting, authentication, request and payload may come byte by byte", async ({ server }) => {
    using echo = await Target.echo();
    const whole = bytes([5, 1, 2], password("alice", "secret"), request5(1, "127.0.0.1", echo.port), PAYLOAD);
    await converse(server, Array.from(whole, (byte) => bytes(byte)), "05 02 01 00");
  }, { args: USERS });

  test("a request without authentication may be split at every point", async ({ server }) => {
    using echo = await Target.echo();
    for (const host of ["127.0.0.1", "localhost"]) {
      const whole = bytes(GREETING, request5(1, host, echo.port), PAYLOAD);
      for (let at = 1; at < whole.length; at++) {
        await converse(server, [whole.subarray(0, at), whole.subarray(at)], "05 00");
      }
    }
  });

  test("a request with an IPv6 address may be split at every point", async ({ server }) => {
    using echo = await Target.echo({ host: "::1" });
    const whole = bytes(GREETING, 5, 1, 0, 4, LOOPBACK6, portBytes(echo.port), PAYLOAD);
    for (let at = 1; at < whole.length; at++) {
      await converse(server, [whole.subarray(0, at), whole.subarray(at)], "05 00");
    }
  });

  test("random cuts into many pieces give the same answers", async ({ server }) => {
    using echo = await Target.echo();
    const whole = bytes([5, 3, 1, 2, 0], password("alice", "secret"), request5(1, "127.0.0.1", echo.port), PAYLOAD);
    const random = pseudoRandom(20);
    for (let round = 0; round < 20; round++) {
      const parts: Uint8Array[] = [];
      for (let at = 0; at < whole.length;) {
        const end = Math.min(whole.length, at + 1 + random.below(9));
        parts.push(whole.subarray(at, end));
        at = end;
      }
      await converse(server, parts, "05 02 01 00");
    }
  }, { args: USERS });

  test("a SOCKS4 request and its payload may be split at every point", async ({ server }) => {
    using echo = await Target.echo();
    const whole = bytes(request4(1, "127.0.0.1", echo.port, "alice"), PAYLOAD);
    for (let at = 1; at < whole.length; at++) {
      using wire = await Wire.connect(server);
      await wire.sendEach([whole.subarray(0, at), whole.subarray(at)]);
      assertEquals((await readReply4(wire)).code, 90);
      assertEquals(text(await wire.read(PAYLOAD.length)), PAYLOAD);
    }
  });

  test("a SOCKS4a request and its payload may be split at every point", async ({ server }) => {
    using echo = await Target.echo();
    const whole = bytes(request4(1, "0.0.0.1", echo.port, "alice", "localhost"), PAYLOAD);
    for (let at = 1; at < whole.length; at++) {
      using wire = await Wire.connect(server);
      await wire.sendEach([whole.subarray(0, at), whole.subarray(at)]);
      assertEquals((await readReply4(wire)).code, 90);
      assertEquals(text(await wire.read(PAYLOAD.length)), PAYLOAD);
    }
  });

  test("a greeting of three bytes is answered without waiting for more", async ({ server }) => {
    using wire = await Wire.connect(server);
    await wire.write(GREETING);
    assertEquals(hex(await wire.read(2)), "05 00");
  });

  test("optimistic data reaches a target that speaks only after it was spoken to", async ({ server }) => {
    using target = await Target.listen();
    using wire = await Wire.connect(server);
    await wire.send(GREETING, request5(1, "127.0.0.1", target.port), PAYLOAD);
    using peer = await target.accept();
    assertEquals(text(await peer.read(PAYLOAD.length)), PAYLOAD);
    await peer.send("answer");
    await wire.read(2);
    assertEquals((await readReply(wire)).code, 0);
    assertEquals(text(await wire.read(6)), "answer");
  });

  test("optimistic data of 256 KiB arrives whole and in order", async ({ server }) => {
    using target = await Target.listen();
    using wire = await Wire.connect(server);
    const data = pseudoRandom(7).fill(256 * 1024);
    const sent = wire.send(GREETING, request5(1, "127.0.0.1", target.port), data);
    using peer = await target.accept();
    const got = await peer.read(data.length);
    await sent;
    assertEquals(got.every((byte, i) => byte === data[i]), true);
  });

  test("optimistic data with FIN right behind it arrives, and the answer comes back", async ({ server }) => {
    using target = await Target.listen();
    using wire = await Wire.connect(server);
    await wire.send(GREETING, request5(1, "127.0.0.1", target.port), PAYLOAD);
    wire.finish();
    using peer = await target.accept();
    const { data, ending } = await peer.readToEnd();
    assertEquals([text(data), ending], [PAYLOAD, "fin"]);
    await peer.send("answer");
    peer.finish();
    await wire.read(2);
    assertEquals((await readReply(wire)).code, 0);
    assertEquals(text(await wire.read(6)), "answer");
    await assertEnds(wire);
  });

  test("optimistic data for a target that refuses still gets the reply and a close", async ({ server }) => {
    using wire = await Wire.connect(server);
    await wire.send(GREETING, 5, 1, 0, socks5Address("0.0.0.0", 0), new Uint8Array(10_000));
    assertEquals(hex(await wire.read(2)), "05 00");
    assertEquals((await readReply(wire)).code !== 0, true);
    const { data } = await wire.readToEnd();
    assertEquals(data.length, 0);
  });

  test("two requests on one connection: the second belongs to the target", async ({ server }) => {
    using target = await Target.listen();
    using wire = await Wire.connect(server);
    const second = request5(1, "127.0.0.1", 1);
    await wire.send(GREETING, request5(1, "127.0.0.1", target.port), second);
    using peer = await target.accept();
    assertEquals(hex(await peer.read(second.length)), hex(second));
  });

  test("a request cut off by FIN is closed without a reply", async ({ server }) => {
    const whole = bytes(GREETING, request5(1, "127.0.0.1", 9));
    for (let length = 4; length < whole.length; length++) {
      using wire = await Wire.connect(server);
      await wire.write(whole.subarray(0, length));
      wire.finish();
      assertEquals(hex(await wire.read(2)), "05 00");
      await assertEnds(wire);
    }
  });
});
