import { assert, assertEquals, assertMatch } from "@std/assert";
import { existsSync, readFileSync } from "node:fs";
import { bytes, closedPort, eventually, hex, pseudoRandom, Target, type To, Wire, writeUntilEnd } from "./_client.ts";
import { assertServes, password, request4, request5 } from "./_socks.ts";
import type { RunningServer } from "./_server.ts";
import { suite } from "./_suite.ts";

type Random = ReturnType<typeof pseudoRandom>;

/** Bytes at random. */
function noise(random: Random): Uint8Array {
  return random.fill(1 + random.below(random.below(10) === 0 ? 3000 : 40));
}

/** Something right with something wrong in it: bits flipped, bytes cut out, doubled or added. */
function mutated(random: Random, right: Uint8Array): Uint8Array {
  const data = Array.from(right);
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(data.length || 1);
    const what = random.below(5);
    if (what === 0) data[at] = (data[at] ?? 0) ^ (1 << random.below(8));
    else if (what === 1) data.splice(at, 1 + random.below(4));
    else if (what === 2) data.splice(at, 0, ...random.fill(1 + random.below(4)));
    else if (what === 3) data.splice(at, 0, ...data.slice(at, at + 4));
    else data.length = at;
  }
  return new Uint8Array(data);
}

/** The TCP ports on which somebody listens here: other programs are not to be reached, who may stay on the line. */
function takenPorts(): Set<number> {
  const files = ["/proc/net/tcp", "/proc/net/tcp6"].filter((path) => existsSync(path));
  const listeners = files.flatMap((
    path,
  ) => [...readFileSync(path, "utf8").matchAll(/:([0-9A-F]{4}) [0-9A-F]+:0000 0A /g)]);
  return new Set(listeners.map(([, port]) => parseInt(port!, 16)));
}

/**
 * Whether a server might take some part of it for a request to connect somewhere, or to look a name up: only closed ports
 * of loopback are to be reached from here. Strict on purpose: it looks at every offset.
 */
function mayReachOut(data: Uint8Array, taken: Set<number>): boolean {
  const text = new TextDecoder("latin1").decode(data);
  const isTaken = (at: number) => taken.has(data[at]! << 8 | data[at + 1]!);
  if (text.startsWith("CONNECT ")) {
    const port = /^CONNECT 127\.0\.0\.\d{1,2}:(\d*)/.exec(text)?.[1];
    if (port === undefined || taken.has(Number(port))) return true;
  }
  for (let at = 0; at < data.length; at++) {
    const isLoopback = (from: number) => data[from] === 127 && data[from + 1] === 0;
    if (data[at] === 4 && data[at + 1] === 1 && (!isLoopback(at + 4) || isTaken(at + 2)) && at === 0) return true;
    if (data[at] === 4 && data[at + 1] === 2 && data[4] === 0 && at === 0) return true;
    if (data[at] !== 5 || (data[at + 1] !== 1 && data[at + 1] !== 2 && data[at + 1] !== 3)) continue;
    if (data[at + 3] === 1 && (!isLoopback(at + 4) || isTaken(at + 8))) return true;
    if (data[at + 3] === 4 || data[at + 3] === 3) return true;
  }
  return false;
}

/** Sends one piece and waits for the server's end, which must come: this end sends FIN, or leaves. */
async function throwAt(server: To, data: Uint8Array, way: number): Promise<void> {
  using wire = await Wire.connect(server);
  await wire.write(data).catch(() => {});
  if (way === 0) return wire.reset();
  wire.finish();
  await wire.readToEnd();
}

/**
 * Runs a session and waits for its line: by then, what came before it has been written.
 *
 * @returns The length of the output, and what tells the line of the session.
 */
async function settledOutput(server: RunningServer): Promise<{ length: number; own: string }> {
  using echo = await Target.echo();
  const own = `:${echo.port}`;
  await assertServes(server, echo);
  await eventually("the target's connection to be closed", () => echo.open === 0);
  await server.waitForOutput(new RegExp(`${own}\\b`));
  return { length: server.output().length, own };
}

/** The lines between two sessions that {@linkcode settledOutput} ran. */
async function linesOf(server: RunningServer, run: () => Promise<void>): Promise<string[]> {
  const before = await settledOutput(server);
  await run();
  const after = await settledOutput(server);
  return server.output().slice(before.length).trimEnd().split("\n")
    .filter((line) => line !== "" && !line.includes(before.own) && !line.includes(after.own));
}

suite("garbage", ({ test }) => {
  for (
    const [name, pieces, args] of [
      ["an open server", 10_000, []],
      ["a server with users", 2_000, ["--user", "alice:secret"]],
    ] as const
  ) {
    test(`${pieces} pieces of garbage thrown at ${name} change nothing`, async ({ server }) => {
      using echo = await Target.echo();
      const user = args.length > 0 ? { user: ["alice", "secret"] as const } : {};
      const port = await closedPort();
      const right = [
        bytes(5, 1, 0, request5(1, "127.0.0.1", port)),
        bytes(5, 2, 0, 2, password("alice", "secret"), request5(1, "127.0.0.1", port)),
        bytes(5, 1, 2, password("alice", "secre"), request5(1, "127.0.0.1", port)),
        bytes(5, 1, 0, request5(2, "127.0.0.1", 0)),
        bytes(5, 1, 0, request5(3, "127.0.0.1", 0)),
        request4(1, "127.0.0.1", port, "user"),
        request4(2, "127.0.0.1", 0, "user"),
        bytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        bytes(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\nHost: localhost\r\n\r\n`),
        bytes(0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3),
        bytes("PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"),
        bytes(0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, "QUIT\n!"),
      ];
      await assertServes(server, echo, user);
      await eventually("the session to be closed", () => echo.open === 0);
      const files = server.openFiles();
      const taken = takenPorts();
      const random = pseudoRandom(1928);
      let left: number = pieces;
      const thrower = async () => {
        while (left-- > 0) {
          const kind = random.below(3);
          let data: Uint8Array;
          do {
            if (kind === 0) data = noise(random);
            else if (kind === 1) data = bytes([0, 1, 4, 5, 5, 0x16, 0x47, 0x50][random.below(8)]!, noise(random));
            else data = mutated(random, right[random.below(right.length)]!);
          } while (mayReachOut(data, taken));
          await throwAt(server, data, random.below(4)).catch((error) => {
            throw new Error(`${hex(data.subarray(0, 200))}: ${error.message}`);
          });
        }
      };
      await Promise.all(Array.from({ length: 40 }, thrower));
      await eventually("the descriptors to be closed", () => server.openFiles() <= files + 3);
      await assertServes(server, echo, user);
      assert(
        !/unhandled|uncaught|^\s+at /im.test(server.output()),
        `the log speaks of a bug:\n${lastOf(server.output())}`,
      );
    }, { args, deadlineMs: 900_000 });
  }

  const fiftyPieces = async (server: RunningServer) => {
    const random = pseudoRandom(3);
    for (let i = 0; i < 50; i++) await throwAt(server, bytes(0x80 | random.below(0x7f), random.fill(20)), 1);
  };

  test("garbage is not worth a line in the log", async ({ server }) => {
    assertEquals(await linesOf(server, () => fiftyPieces(server)), []);
  });

  test("garbage is one line each in the log at debug level", async ({ server }) => {
    const lines = await linesOf(server, () => fiftyPieces(server));
    // Besides the lines that say that a connection came.
    assertEquals(lines.filter((line) => !line.endsWith("opened")).length, 50, lines.join("\n"));
  }, { args: ["--log-level", "debug"] });

  test("a browser that takes the port for an HTTP proxy gets an answer that helps", async ({ server }) => {
    for (
      const request of [
        "GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n",
        "POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello",
        "HEAD / HTTP/1.1\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\n\r\n",
      ]
    ) {
      using wire = await Wire.connect(server);
      await wire.send(request);
      const { data, ending } = await wire.readToEnd();
      const answer = new TextDecoder().decode(data);
      assertMatch(answer, /^HTTP\/1\.[01] [45]\d\d [^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n/, request);
      assertMatch(answer, /SOCKS/);
      assertEquals(ending, "fin");
    }
  }, { args: ["--no-mixed"] });

  test("an HTTP request that comes in pieces gets its answer too", async ({ server }) => {
    using wire = await Wire.connect(server);
    await wire.sendEach(Array.from(bytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), (byte) => bytes(byte)));
    assertMatch(new TextDecoder().decode((await wire.readToEnd()).data), /^HTTP\/1\.[01] [45]\d\d /);
  });

  test("a client that never ends its HTTP request is cut off", async ({ server }) => {
    const before = server.rssKiB();
    using wire = await Wire.connect(server);
    await wire.send("GET / HTTP/1.1\r\n");
    await writeUntilEnd(wire, bytes(`X-Long: ${"y".repeat(1 << 16)}\r\n`));
    assert(server.rssKiB() - before < 64 * 1024, "memory grew with the request");
  });

  test("a health check that connects and leaves is not an error", async ({ server }) => {
    const lines = await linesOf(server, async () => {
      for (let i = 0; i < 10; i++) {
        using wire = await Wire.connect(server);
        if (i % 2 === 1) continue;
        wire.finish();
        assertEquals((await wire.readToEnd()).data.length, 0);
      }
    });
    assertEquals(lines, []);
  });

  test("TLS on the SOCKS port is closed without a word", async ({ server }) => {
    using wire = await Wire.connect(server);
    await wire.send(0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3, new Uint8Array(195));
    assertEquals(hex((await wire.readToEnd()).data), "");
  });
});

function lastOf(output: string): string {
  return output.slice(-3000);
}
