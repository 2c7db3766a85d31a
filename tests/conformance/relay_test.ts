import { assert, assertEquals } from "@std/assert";
import { digest, eventually, hex, pseudoRandom, Target, Wire, within } from "./_client.ts";
import { asked, assertEnds, assertServes, CONNECT, readReply4, request4, tunnel } from "./_socks.ts";
import { suite } from "./_suite.ts";

const MIB = 1024 * 1024;
const EIGHT = pseudoRandom(8).fill(8 * MIB);
const ONE = pseudoRandom(1).fill(MIB);
const [digestOfEight, digestOfOne] = [await digest(EIGHT), await digest(ONE)];

/** Sends all of `large` and FIN, reads it on the other end, and then sends `small` and FIN the other way. */
async function assertHalfClose(first: Wire, second: Wire): Promise<void> {
  const sent = first.write(EIGHT).then(() => first.finish());
  const up = await second.readToEnd(120_000);
  await sent;
  assertEquals([up.data.length, await digest(up.data), up.ending], [EIGHT.length, digestOfEight, "fin"]);
  await second.write(ONE);
  second.finish();
  const down = await first.readToEnd(120_000);
  assertEquals([down.data.length, await digest(down.data), down.ending], [ONE.length, digestOfOne, "fin"]);
}

/** Writes until the other side has not taken anything for a while; gives how much it took. */
async function flood(wire: Wire, limit: number): Promise<number> {
  const block = new Uint8Array(256 * 1024);
  let taken = 0;
  while (taken < limit) {
    const write = wire.write(block).catch(() => {});
    const stalled = await within(1_000, "the block to be taken", write).then(() => false, () => true);
    if (stalled) break;
    taken += block.length;
  }
  return taken;
}

suite("relay", ({ test }) => {
  test("8 MiB up, FIN, then 1 MiB back", async ({ server }) => {
    using target = await Target.listen();
    using wire = await tunnel(server, "127.0.0.1", target.port);
    using peer = await target.accept();
    await assertHalfClose(wire, peer);
  });

  test("8 MiB down, FIN, then 1 MiB up", async ({ server }) => {
    using target = await Target.listen();
    using wire = await tunnel(server, "127.0.0.1", target.port);
    using peer = await target.accept();
    await assertHalfClose(peer, wire);
  });

  test("8 MiB up, FIN, then 1 MiB back, by SOCKS4", async ({ server }) => {
    using target = await Target.listen();
    using wire = await Wire.connect(server);
    await wire.write(request4(CONNECT, "127.0.0.1", target.port));
    assertEquals((await readReply4(wire)).code, 90);
    using peer = await target.accept();
    await assertHalfClose(wire, peer);
  });

  test("a FIN without a byte is passed on, and the other direction stays", async ({ server }) => {
    using target = await Target.listen();
    using wire = await tunnel(server, "127.0.0.1", target.port);
    using peer = await target.accept();
    wire.finish();
    await assertEnds(peer);
    for (let i = 0; i < 3; i++) {
      await peer.send("still talking");
      assertEquals(hex(await wire.read(13)).length, 38);
    }
    peer.finish();
    await assertEnds(wire);
  });

  test("a FIN of the target without a byte is passed on, and the other direction stays", async ({ server }) => {
    using target = await Target.listen();
    using wire = await tunnel(server, "127.0.0.1", target.port);
    using peer = await target.accept();
    peer.finish();
    await assertEnds(wire);
    for (let i = 0; i < 3; i++) {
      await wire.send("still talking");
      assertEquals(hex(await peer.read(13)).length, 38);
    }
    wire.finish();
    await assertEnds(peer);
  });

  test("both directions at once carry 8 MiB each", async ({ server }) => {
    using target = await Target.listen();
    using wire = await tunnel(server, "127.0.0.1", target.port);
    using peer = await target.accept();
    const sends = [wire, peer].map((end) => end.write(EIGHT).then(() => end.finish()));
    const [down, up] = await Promise.all([wire.readToEnd(120_000), peer.readToEnd(120_000)]);
    await Promise.all(sends);
    assertEquals([await digest(down.data), down.ending], [digestOfEight, "fin"]);
    assertEquals([await digest(up.data), up.ending], [digestOfEight, "fin"]);
  });

  test("many small pieces arrive in order", async ({ server }) => {
    using echo = await Target.echo();
    using wire = await tunnel(server, "127.0.0.1", echo.port);
    const random = pseudoRandom(5);
    const answer = wire.read(ONE.length, 120_000);
    for (let at = 0; at < ONE.length;) {
      const end = Math.min(ONE.length, at + 1 + random.below(3000));
      await wire.write(ONE.subarray(at, end));
      at = end;
    }
    assertEquals(await digest(await answer), digestOfOne);
  });

  test("a reset of the client becomes a reset of the target's connection", async ({ server }) => {
    using target = await Target.listen();
    const wire = await tunnel(server, "127.0.0.1", target.port);
    using peer = await target.accept();
    await wire.send("x");
    await peer.read(1);
    wire.reset();
    assertEquals((await peer.readToEnd()).ending, "reset");
  });

  test("a reset of the target becomes a reset of the client's connection", async ({ server }) => {
    using target = await Target.listen();
    using wire = await tunnel(server, "127.0.0.1", target.port);
    const peer = await target.accept();
    await peer.send("x");
    await wire.read(1);
    peer.reset();
    assertEquals((await wire.readToEnd()).ending, "reset");
  });

  test("a reset after a half-close is passed on as well, both ways", async ({ server }) => {
    using target = await Target.listen();
    for (const resetting of ["client", "target"]) {
      using wire = await tunnel(server, "127.0.0.1", target.port);
      using peer = await target.accept();
      const [one, other] = resetting === "client" ? [wire, peer] : [peer, wire];
      other.finish();
      await assertEnds(one);
      one.reset();
      await eventually(`the ${resetting}'s reset to arrive`, () => {
        return other.readToEnd(1_000).then(({ ending }) => ending === "reset", () => false);
      });
    }
  });

  test("a target that resets at once does no harm", async ({ server }) => {
    using target = await Target.resetting();
    for (let i = 0; i < 20; i++) {
      // The reset may come before the reply: then the reply is a failure.
      const { wire } = await asked(server, CONNECT, "127.0.0.1", target.port);
      using _wire = wire;
      assertEquals((await wire.readToEnd()).data.length, 0);
    }
    using echo = await Target.echo();
    await assertServes(server, echo);
  });

  for (const direction of ["down", "up"] as const) {
    test(`a reader that stalls stops its writer, ${direction}, and memory stops growing`, async ({ server }) => {
      const STREAMS = 8;
      using target = await Target.listen();
      const pairs: { reader: Wire; writer: Wire }[] = [];
      for (let i = 0; i < STREAMS; i++) {
        const wire = await tunnel(server, "127.0.0.1", target.port);
        const peer = await target.accept();
        // A first round trip, so that what a session costs anyway is there before measuring.
        await wire.send("x");
        await peer.read(1);
        await peer.send("x");
        await wire.read(1);
        pairs.push(direction === "down" ? { reader: wire, writer: peer } : { reader: peer, writer: wire });
      }
      for (const { reader } of pairs) reader.hold();
      const before = server.rssKiB();
      const taken = await Promise.all(pairs.map(({ writer }) => flood(writer, 64 * MIB)));
      const grown = server.rssKiB() - before;
      for (const amount of taken) assert(amount < 64 * MIB, "the writer was never stopped");
      assert(grown < STREAMS * 4 * 1024, `memory grew by ${grown} KiB for ${STREAMS} streams`);
      // And then everything arrives: the block that was not taken in time, too.
      await Promise.all(pairs.map(async ({ reader, writer }, i) => {
        writer.finish();
        reader.release();
        let got = 0;
        while (true) {
          const { length } = await reader.readSome();
          if (length === 0) break;
          got += length;
        }
        assertEquals([got, reader.ending], [taken[i]! + 256 * 1024, "fin"]);
      }));
      for (const { reader, writer } of pairs) {
        reader.close();
        writer.close();
      }
    }, { deadlineMs: 600_000 });
  }

  test("a stalled stream does not hold up another", async ({ server }) => {
    using target = await Target.listen();
    using stalled = await tunnel(server, "127.0.0.1", target.port);
    using writer = await target.accept();
    stalled.hold();
    await flood(writer, 64 * MIB);
    using wire = await tunnel(server, "127.0.0.1", target.port);
    using peer = await target.accept();
    await assertHalfClose(wire, peer);
  });

  test("a session that ended both ways leaves no descriptor behind", async ({ server }) => {
    using target = await Target.listen();
    const round = async (end: (wire: Wire, peer: Wire) => void) => {
      using wire = await tunnel(server, "127.0.0.1", target.port);
      using peer = await target.accept();
      end(wire, peer);
      await Promise.all([wire.readToEnd(), peer.readToEnd()]);
    };
    const ends: ((wire: Wire, peer: Wire) => void)[] = [
      (wire, peer) => (wire.finish(), peer.finish()),
      (wire) => wire.reset(),
      (_, peer) => peer.reset(),
      (wire) => wire.close(),
      (_, peer) => peer.close(),
    ];
    for (const end of ends) await round(end);
    const settled = server.openFiles();
    for (let i = 0; i < 10; i++) for (const end of ends) await round(end);
    await eventually("the descriptors to be closed", () => server.openFiles() <= settled + 2);
  });
});
