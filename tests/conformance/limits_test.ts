import { assert, assertEquals } from "@std/assert";
import { bytes, eventually, hex, inTime, PATIENCE, Target, type To, Wire, within } from "./_client.ts";
import type { RunningServer } from "./_server.ts";
import {
  asked,
  assertEnds,
  assertServes,
  BIND,
  CONNECT,
  GREETING,
  negotiated,
  request4,
  request5,
  tunnel,
} from "./_socks.ts";
import { suite } from "./_suite.ts";

const HASTY = ["--handshake-timeout", "1"];
const IDLE = ["--idle-timeout", "1"];

/** Waits for the server to hang up, with or without a last word; gives the word. */
async function hungUp(wire: Wire): Promise<string> {
  return hex((await wire.readToEnd()).data);
}

/** Waits until the server's time for a handshake has passed for whoever came before: it hangs up on one that comes now. */
async function handshakeTimePasses(server: To): Promise<void> {
  using silent = await Wire.connect(server);
  await hungUp(silent);
}

/**
 * Sends byte after byte through a tunnel, in steps far shorter than a limit, for twice the limit in all.
 *
 * @param side Which end sends.
 * @param limit The limit in milliseconds.
 * @returns Whether the pace was kept; if this machine was too slow for that, the server was right to end the tunnel.
 */
async function trickles(server: To, side: "client" | "target", limit: number): Promise<boolean> {
  using target = await Target.listen();
  /** When a byte was sent: the server saw it later than that. */
  let last = performance.now();
  const keepsPace = () => performance.now() - last < 0.9 * limit;
  using wire = await tunnel(server, "127.0.0.1", target.port);
  using peer = await target.accept();
  const [one, other] = side === "client" ? [wire, peer] : [peer, wire];
  const began = performance.now();
  try {
    while (performance.now() - began < 2 * limit) {
      const sent = performance.now();
      await one.send("x");
      await other.read(1);
      if (!keepsPace()) return false;
      last = sent;
      // The pace itself is what is tested.
      await new Promise((resolve) => setTimeout(resolve, limit / 10));
    }
  } catch (error) {
    if (keepsPace()) throw error;
    return false;
  }
  assertEquals(one.ending, undefined);
  return true;
}

/** Sends one byte at a time until the server hangs up. */
async function drip(to: To, data: Uint8Array): Promise<void> {
  using wire = await Wire.connect(to);
  const end = hungUp(wire);
  end.catch(() => {});
  for (let i = 0; wire.ending === undefined && i < data.length; i++) {
    await wire.write(data.subarray(i, i + 1)).catch(() => {});
    // The pace itself is what is tested: slower than the limit in all, faster in each step.
    await Promise.race([end, new Promise((resolve) => setTimeout(resolve, 150))]);
  }
  assert(wire.ending !== undefined, "the server took all drops");
  await end;
}

/** Checks a number of open descriptors against what it was. */
async function assertNoneLeaked(server: RunningServer, before: number): Promise<void> {
  await eventually("the descriptors to be closed", () => server.openFiles() <= before + 3);
}

/** Whether a greeting is answered in some time. */
async function isAnswered(wire: Wire, ms: number): Promise<boolean> {
  try {
    await wire.write(GREETING);
    await wire.read(2, ms);
    return true;
  } catch {
    return false;
  }
}

/** Checks that the server gets well again, and stays so. */
async function assertServesAgain(server: RunningServer, echo: Target): Promise<void> {
  const serves = () => within(10_000, "an echo", assertServes(server, echo)).then(() => true, () => false);
  await eventually("the server to serve again", serves, 90_000);
  for (let i = 0; i < 5; i++) await assertServes(server, echo);
}

suite("limits", ({ test }) => {
  const silences: [string, Uint8Array][] = [
    ["nothing at all", bytes()],
    ["half a greeting", bytes(5, 2, 0)],
    ["a greeting and no request", GREETING],
    ["half a request", bytes(GREETING, 5, 1, 0, 3, 9, "local")],
    ["half a SOCKS4 request", bytes(4, 1, 0, 80, 127)],
    ["half a SOCKS4 user id", bytes(4, 1, 0, 80, 127, 0, 0, 1, "user")],
    ["half a SOCKS4a name", bytes(4, 1, 0, 80, 0, 0, 0, 1, 0, "local")],
    ["half an HTTP request", bytes("GET / HT")],
  ];
  test("a client that falls silent in the handshake is hung up on after --handshake-timeout", async ({ server }) => {
    await Promise.all(silences.map(async ([what, data]) => {
      using wire = await Wire.connect(server);
      await wire.write(data);
      await hungUp(wire).catch((error) => {
        throw new Error(`After ${what}: ${error.message}`);
      });
    }));
  }, { args: HASTY });

  test("a client that falls silent in its login is hung up on after --handshake-timeout", async ({ server }) => {
    await Promise.all(
      [bytes(5, 1, 2), bytes(5, 1, 2, 1, 5, "al"), bytes(5, 1, 2, 1, 5, "alice", 6)].map(async (data) => {
        using wire = await Wire.connect(server);
        await wire.write(data);
        await hungUp(wire);
      }),
    );
  }, { args: [...HASTY, "--user", "alice:secret"] });

  test("a client that drips its handshake byte by byte is hung up on all the same", async ({ server }) => {
    await Promise.all([
      drip(server, bytes(5, 255, new Uint8Array(255))),
      drip(server, bytes(GREETING, 5, 1, 0, 3, 255, "x".repeat(255), 0, 80)),
      drip(server, bytes(4, 1, 0, 80, 127, 0, 0, 1, "x".repeat(200))),
      drip(server, bytes("GET / HTTP/1.1\r\n", "X-Slow: y\r\n".repeat(20))),
    ]);
  }, { args: HASTY });

  test("a tunnel outlives the handshake's time", async ({ server }) => {
    using echo = await Target.echo();
    using wire = await inTime(1_000, () => tunnel(server, "127.0.0.1", echo.port));
    await handshakeTimePasses(server);
    await wire.send("x");
    await wire.read(1);
  }, { args: HASTY });

  test("a tunnel without a byte in either direction ends after --idle-timeout", async ({ server }) => {
    using target = await Target.silent();
    using wire = await tunnel(server, "127.0.0.1", target.port);
    assertEquals(await hungUp(wire), "");
    await eventually("the target's connection to be closed", async () => {
      using _probe = await negotiated(server);
      return server.openFiles() > 0 && target.open <= 1;
    });
  }, { args: IDLE });

  test("an idle tunnel's target is hung up on as well", async ({ server }) => {
    using target = await Target.listen();
    using _wire = await tunnel(server, "127.0.0.1", target.port);
    using peer = await target.accept();
    await hungUp(peer);
  }, { args: IDLE });

  test("a half-closed tunnel that falls silent ends after --idle-timeout", async ({ server }) => {
    using target = await Target.listen();
    for (const side of ["client", "target"]) {
      using wire = await tunnel(server, "127.0.0.1", target.port);
      using peer = await target.accept();
      const [one, other] = side === "client" ? [wire, peer] : [peer, wire];
      one.finish();
      await assertEnds(other);
      await hungUp(one);
    }
  }, { args: IDLE });

  test("bytes in one direction alone keep a tunnel alive", async ({ server }) => {
    await Promise.all((["client", "target"] as const).map(async (side) => {
      while (!await trickles(server, side, 2_000));
    }));
  }, { args: ["--idle-timeout", "2"] });

  test("500 sessions at once are served", async ({ server }) => {
    using echo = await Target.echo();
    await assertServes(server, echo);
    const before = server.openFiles();
    const wires = await Promise.all(Array.from({ length: 500 }, () => tunnel(server, "127.0.0.1", echo.port)));
    await Promise.all(wires.map(async (wire, i) => {
      const payload = bytes(`session ${i} `, new Uint8Array(1024).fill(i & 0xff));
      await wire.write(payload);
      assertEquals(hex(await wire.read(payload.length)), hex(payload));
    }));
    for (const wire of wires) wire.finish();
    await Promise.all(wires.map((wire) => assertEnds(wire)));
    await assertNoneLeaked(server, before);
  }, { deadlineMs: 600_000 });

  test("2,000 sessions one after another leave no descriptor behind", async ({ server }) => {
    using echo = await Target.echo();
    const round = async (i: number) => {
      using wire = await Wire.connect(server);
      await wire.send(GREETING, request5(CONNECT, "127.0.0.1", echo.port), "hello");
      await wire.read(2 + 10 + 5);
      if (i % 3 === 0) wire.reset();
      else if (i % 3 === 1) {
        wire.finish();
        await assertEnds(wire);
      }
    };
    for (let i = 0; i < 20; i++) await round(i);
    await eventually("the first sessions to be closed", () => echo.open === 0);
    const before = server.openFiles();
    for (let i = 0; i < 2_000; i++) await round(i);
    await assertNoneLeaked(server, before);
    await assertServes(server, echo);
  }, { deadlineMs: 600_000 });

  test("2,000 failed requests one after another leave no descriptor behind", async ({ server }) => {
    using echo = await Target.echo();
    await assertServes(server, echo);
    await eventually("the session to be closed", () => echo.open === 0);
    const before = server.openFiles();
    const failing = [request5(CONNECT, "127.0.0.1", 0), request5(9, "127.0.0.1", 80), bytes(5, 1, 0, 9)];
    for (let i = 0; i < 2_000; i++) {
      using wire = await Wire.connect(server);
      await wire.send(GREETING, failing[i % failing.length]!);
      const { data } = await wire.readToEnd();
      assertEquals([data.length, data[3] !== 0], [12, true]);
    }
    await assertNoneLeaked(server, before);
  }, { deadlineMs: 600_000 });

  test("out of descriptors, the server waits, and serves again when there are some", async ({ server }) => {
    using echo = await Target.echo();
    await assertServes(server, echo);
    const idle: Wire[] = [];
    const answers: Promise<boolean>[] = [];
    // More than it can have. Those it cannot accept wait in the kernel's queue or are turned away.
    for (let i = 0; i < 350; i++) {
      const wire = await Wire.connect(server, { ms: 5_000 }).catch(() => undefined);
      if (wire === undefined) continue;
      idle.push(wire);
      // The first are answered in any case, however long that takes.
      answers.push(isAnswered(wire, i < 10 ? PATIENCE : 5_000));
    }
    const served = (await Promise.all(answers)).filter((answered) => answered).length;
    assert(served > 0, "nobody was served");
    assert(served < 350, "there was no shortage: the test tests nothing");
    for (const wire of idle) wire.close();
    await assertServesAgain(server, echo);
  }, { ulimitFiles: 256, deadlineMs: 600_000 });

  test("out of descriptors for targets, requests fail with a reply, and work again later", async ({ server }) => {
    using echo = await Target.echo();
    await assertServes(server, echo);
    const open: Wire[] = [];
    const codes: number[] = [];
    for (let i = 0; i < 250; i++) {
      // Without an answer when even the client could not be accepted; the first are answered, however long that takes.
      const asking = asked(server, CONNECT, "127.0.0.1", echo.port);
      const got = await within(i < 10 ? PATIENCE : 5_000, "a reply", asking).catch(() => undefined);
      if (got === undefined) break;
      open.push(got.wire);
      codes.push(got.reply.code);
    }
    assert(codes.includes(0), "nobody was served");
    assert(codes.length < 250 || codes.includes(1), "there was no shortage: the test tests nothing");
    assert(codes.every((code) => code === 0 || code === 1), `${codes}`);
    for (const wire of open) wire.close();
    await assertServesAgain(server, echo);
  }, { ulimitFiles: 256, deadlineMs: 600_000 });

  test("many waiting BINDs and silent clients do not keep others from being served", async ({ server }) => {
    using echo = await Target.echo();
    const waiting = await Promise.all([
      ...Array.from({ length: 50 }, async () => (await asked(server, BIND, "0.0.0.0", 0)).wire),
      ...Array.from({ length: 50 }, () => negotiated(server)),
      ...Array.from({ length: 50 }, async () => {
        const wire = await Wire.connect(server);
        await wire.write(request4(BIND, "0.0.0.0", 0).subarray(0, 5));
        return wire;
      }),
    ]);
    await assertServes(server, echo);
    for (const wire of waiting) wire.close();
  });
});
