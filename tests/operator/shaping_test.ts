import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { bytes, digest, eventually, pseudoRandom, Target, Udp, type Wire } from "../conformance/_client.ts";
import { asked, ASSOCIATE, socks5Address, tunnel } from "../conformance/_socks.ts";
import { suite } from "../conformance/_suite.ts";
import { assertCarries, byteSource, ended, leave, serveWith } from "./_limited.ts";

const KIB = 1024;

/** Seconds' worth that a bucket holds after a rest. */
const BURST = 0.05;

/** The most bytes that may have come through a bucket since some moment, in any order of events. */
function most(rate: number, since: number): number {
  return rate * ((performance.now() - since) / 1000 + BURST);
}

/** Reads to the end, and checks at each step that no more has come than may have. */
async function readAtPace(wire: Wire, rate: number, since: number): Promise<number> {
  for (let got = 0;;) {
    const { length } = await wire.readSome();
    got += length;
    const bound = most(rate, since);
    assert(got <= bound, `${got} bytes came where ${bound} were the most`);
    if (length === 0) return got;
  }
}

suite("bandwidth", ({ bare }) => {
  bare("downloads and uploads go no faster than they may, and arrive whole", async ({ runtime, folder }) => {
    const rate = 256 * KIB, size = 512 * KIB;
    const data = pseudoRandom(7).fill(size);
    await using server = await serveWith(runtime, folder, { limits: [{ download: rate, upload: rate }] });
    // The target says what it got, byte by byte, as it came; so each byte goes through both ways.
    const uploads: Uint8Array[] = [];
    using target = await Target.listen({
      handle: async (wire) => {
        const since = started;
        for (let got = 0;;) {
          const some = await wire.readSome();
          got += some.length;
          if (got > most(rate, since)) return wire.reset();
          if (some.length === 0) break;
          uploads.push(some);
        }
        await wire.write(data);
        wire.finish();
      },
    });
    const started = performance.now();
    using wire = await tunnel(server, target.host, target.port);
    const port = wire.localPort;
    await wire.write(data);
    wire.finish(); // the half-close waits for what was sent before
    const first = await wire.readSome();
    const sent = performance.now();
    const { data: rest, ending } = await wire.readToEnd();
    const received = performance.now();
    assertEquals(ending, "fin");
    assertEquals(await digest(...uploads), await digest(data));
    assertEquals(await digest(first, rest), await digest(data));
    assert(size <= rate * ((sent - started) / 1000 + BURST), `an upload in ${sent - started} ms`);
    assert(size <= rate * ((received - started) / 1000 + BURST), `a download in ${received - started} ms`);
    assertMatch(await ended(server, port), / 512 KiB up, 512 KiB down, .* finished/);
  });

  bare("a direction without a limit is free", async ({ runtime, folder }) => {
    using echo = await Target.listen({
      handle: async (wire) => {
        await wire.readToEnd();
        wire.finish();
      },
    });
    await using server = await serveWith(runtime, folder, { limits: [{ download: 1 * KIB }] });
    using wire = await tunnel(server, echo.host, echo.port);
    // At the pace of downloads it would take more than a quarter of an hour.
    await wire.write(new Uint8Array(1024 * KIB));
    wire.finish();
    assertEquals((await wire.readToEnd()).data.length, 0);
  });

  bare("streams share what they may have together, the same to each", async ({ runtime, folder }) => {
    using source = await byteSource();
    const rate = 300 * KIB, size = 200 * KIB;
    await using server = await serveWith(runtime, folder, { limits: [{ download: rate }] });
    const wires = await Promise.all([1, 2, 3].map(() => tunnel(server, source.host, source.port)));
    const started = performance.now();
    const got = [0, 0, 0];
    let whenFirst: number[] | undefined;
    await Promise.all(wires.map(async (wire, i) => {
      await wire.send(`${size}\n`);
      for (;;) {
        const { length } = await wire.readSome();
        got[i]! += length;
        const all = got[0]! + got[1]! + got[2]!;
        assert(all <= most(rate, started), `${all} bytes came for all`);
        if (length === 0) break;
      }
      whenFirst ??= [...got];
    }));
    assertEquals(got, [size, size, size]);
    for (const part of whenFirst!) assert(part >= size / 2, `when the first had all they had ${whenFirst}`);
    for (const wire of wires) wire.close();
  });

  bare("of two limits the slower one counts", async ({ runtime, folder }) => {
    using source = await byteSource();
    const rate = 128 * KIB;
    await using server = await serveWith(runtime, folder, {
      limits: [{ download: 10 * rate }, { per: "address", download: rate }, { per: "listener", download: 2 * rate }],
    });
    const started = performance.now();
    const each = ["127.0.0.7", "127.0.0.8", "127.0.0.9"].map(async (from) => {
      using wire = await tunnel(server, source.host, source.port, { from });
      await wire.send(`${128 * KIB}\n`);
      return await readAtPace(wire, rate, started);
    });
    assertEquals(await Promise.all(each), [128 * KIB, 128 * KIB, 128 * KIB]);
    const seconds = (performance.now() - started) / 1000;
    assert(3 * 128 * KIB <= 2 * rate * (seconds + BURST), `all three in ${seconds} s`);
  });

  bare("a client that leaves what waits for its turn leaves nothing behind", async ({ runtime, folder }) => {
    using endless = await Target.listen({
      handle: async (wire) => {
        const block = new Uint8Array(64 * KIB);
        for (;;) await wire.write(block);
      },
    });
    using echo = await Target.echo();
    await using server = await serveWith(runtime, folder, {
      limits: [{ per: "address", download: KIB, upload: KIB, sessions: 4 }],
    });
    for (let round = 0; round < 3; round++) {
      const wires = await Promise.all([1, 2, 3, 4].map(() => tunnel(server, endless.host, endless.port)));
      const ports = wires.map(({ localPort }) => localPort);
      await Promise.all(wires.slice(0, 2).map((wire) => wire.readSome()));
      for (const [i, wire] of wires.entries()) i % 2 === 0 ? wire.close() : wire.reset();
      for (const port of ports) assertMatch(await ended(server, port), /reset/);
    }
    await eventually("the target's ends to be closed", () => endless.open === 0);
    using wire = await tunnel(server, echo.host, echo.port);
    await assertCarries(wire);
    await leave(server, wire);
    assertEquals(await server.stop("SIGTERM"), 0);
  });

  bare("a reset of either side is passed on, and ends the session", async ({ runtime, folder }) => {
    using target = await Target.listen();
    // What the server has read already may go first: that is some 64 KiB, which wait for less than a second.
    const rate = 128 * KIB;
    await using server = await serveWith(runtime, folder, { limits: [{ download: rate, upload: rate }] });
    for (const who of ["target", "client"] as const) {
      using client = await tunnel(server, target.host, target.port);
      const port = client.localPort;
      using end = await target.accept();
      const [from, to] = who === "target" ? [end, client] : [client, end];
      await from.write(new Uint8Array(1024 * KIB));
      await to.readSome(); // the relay has begun
      from.reset();
      assertEquals((await to.readToEnd()).ending, "reset");
      assertStringIncludes(await ended(server, port), ", reset");
    }
  });

  bare("an end that comes while bytes wait follows them", async ({ runtime, folder }) => {
    using target = await Target.listen();
    await using server = await serveWith(runtime, folder, { limits: [{ download: 64 * KIB }] });
    using client = await tunnel(server, target.host, target.port);
    using end = await target.accept();
    await end.write(new Uint8Array(96 * KIB));
    end.finish();
    const { data, ending } = await client.readToEnd();
    assertEquals([data.length, ending], [96 * KIB, "fin"]);
    // The other direction is open still.
    await client.send("and goodbye");
    client.finish();
    assertEquals(new TextDecoder().decode((await end.readToEnd()).data), "and goodbye");
  });

  bare("datagrams over the limit are dropped, never kept for later", async ({ runtime, folder }) => {
    const rate = 32 * KIB, size = 1000, count = 600;
    await using server = await serveWith(runtime, folder, { limits: [{ upload: rate }] });
    using target = await Udp.bind();
    using udp = await Udp.bind();
    const { wire, reply: relay } = await asked(server, ASSOCIATE, "0.0.0.0", 0);
    assertEquals(relay.code, 0);
    const header = bytes(0, 0, 0, socks5Address(target.host, target.port));
    const send = (text: string): Promise<void> => udp.send(relay, bytes(header, text.padEnd(size, ".")));
    const started = performance.now();
    for (let i = 0; i < count; i++) await send(`${i}`);
    // Two that come after all others say that those are through, or lost.
    let last = count;
    const numbers: number[] = [];
    await eventually("a later datagram to get through", async () => {
      await send(`${last++}`);
      while (target.waiting > 0) {
        const { data } = await target.receive();
        assertEquals(data.length, size);
        numbers.push(Number.parseInt(new TextDecoder().decode(data)));
      }
      return numbers.filter((number) => number >= count).length >= 2;
    });
    // The last one may go beyond what is there; it is made up for.
    const bound = most(rate, started) + size;
    assert(numbers.length * size <= bound, `${numbers.length * size} bytes came where ${bound} were the most`);
    assert(numbers.length < last, "some are dropped");
    // The system may exchange neighbours, no more.
    const firstLater = numbers.findIndex((number) => number >= count);
    assertEquals(numbers.slice(firstLater).filter((number) => number < count), []);
    await leave(server, wire);
  });
});
