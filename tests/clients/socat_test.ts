import { assertEquals, assertMatch } from "@std/assert";
import { spawnSync } from "node:child_process";
import { type Bench, clients, loggedSessions, program } from "./_case.ts";
import type { Finished } from "./_process.ts";
import { digestAnswer, payload, REFUSED_PORT } from "./_targets.ts";

const MIB = 1024 * 1024;

/** How long socat waits once one direction has ended, in seconds: longer than a case takes. */
const PATIENCE = "600";

/** Pipes `input` into a socat address and reads the answer. */
function socat(bench: Bench, address: string, input: Uint8Array | string): Promise<Finished> {
  return bench.run(["socat", "-t", PATIENCE, "-", address], { input });
}

/** The SOCKS address types which this socat has: SOCKS5-CONNECT and SOCKS5-LISTEN came with 1.8. */
const KNOWN = /socks5-connect/i.test(spawnSync("socat", ["-h"], { encoding: "utf8" }).stdout ?? "")
  ? ["SOCKS4", "SOCKS4A", "SOCKS5-CONNECT"]
  : ["SOCKS4", "SOCKS4A"];

/** A socat address of one type for a server and a target. */
function address(type: string, proxyPort: number, host: string, port: number): string {
  if (type.startsWith("SOCKS5")) return `${type}:127.0.0.1:${proxyPort}:${host}:${port}`;
  return `${type}:127.0.0.1:${host}:${port},socksport=${proxyPort}`;
}

clients("socat", [program("socat")], (it) => {
  it(`sends 8 MiB and its end with ${KNOWN.join(", ")}, and gets the answer back`, async (bench) => {
    const server = await bench.server();
    const upload = payload(8 * MIB);
    for (const type of KNOWN) {
      const digest = await bench.digest();
      const via = address(type, server.port, "127.0.0.1", digest.port);
      const { code, stdout, stderr } = await socat(bench, via, upload);
      assertEquals({ type, code, stdout, stderr }, { type, code: 0, stdout: digestAnswer(upload), stderr: "" });
      assertEquals(digest.connections, 1);
      await loggedSessions(server, digest);
    }
  }, { deadlineMs: 300_000 });

  it("SOCKS4A has a name looked up by the proxy", async (bench) => {
    const server = await bench.server();
    const digest = await bench.digest();
    const via = address("SOCKS4A", server.port, "localhost", digest.port);
    const { code, stdout } = await socat(bench, via, payload(1000));
    assertEquals([code, stdout], [0, digestAnswer(payload(1000))]);
    await loggedSessions(server, digest, `localhost:${digest.port}`);
  });

  for (const type of ["SOCKS4", "SOCKS4A"]) {
    it(`${type} names a user`, async (bench) => {
      const server = await bench.server();
      const digest = await bench.digest();
      const via = `${address(type, server.port, "127.0.0.1", digest.port)},socksuser=alice`;
      const { code, stdout } = await socat(bench, via, payload(1000));
      assertEquals([code, stdout], [0, digestAnswer(payload(1000))]);
    });

    it(`${type} is told that a port refused`, async (bench) => {
      const server = await bench.server();
      const { code, stderr } = await socat(bench, address(type, server.port, "127.0.0.1", REFUSED_PORT), "");
      assertEquals(code, 1);
      assertMatch(stderr, /rejected or failed/);
    });
  }

  it("SOCKS4 is turned away where passwords are required", async (bench) => {
    const server = await bench.server("--user", "alice:secret");
    const digest = await bench.digest();
    const via = `${address("SOCKS4", server.port, "127.0.0.1", digest.port)},socksuser=alice`;
    const { code, stderr } = await socat(bench, via, "");
    assertEquals(code, 1);
    assertMatch(stderr, /rejected or failed/);
    assertEquals(digest.connections, 0);
  });

  it("forwards a local port to many clients at once", async (bench) => {
    const server = await bench.server();
    const digest = await bench.digest();
    const via = address("SOCKS4A", server.port, "localhost", digest.port);
    const forwarder = bench.start(["socat", "-d", "-d", "-t", PATIENCE, "TCP4-LISTEN:0,bind=127.0.0.1,fork", via]);
    const port = /listening on .*:(\d+)\n/;
    await forwarder.waitForOutput(port);
    const local = `TCP4:127.0.0.1:${port.exec(forwarder.output())![1]}`;
    const clients = Array.from({ length: 10 }, (_, index) => socat(bench, local, payload(100_000 + index)));
    const answers = (await Promise.all(clients)).map(({ stdout }) => stdout);
    assertEquals(answers, answers.map((_, index) => digestAnswer(payload(100_000 + index))));
    assertEquals(digest.connections, 10);
  });
});
