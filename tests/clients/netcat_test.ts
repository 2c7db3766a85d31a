import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Bench, clients, loggedSessions, program, working } from "./_case.ts";
import type { Finished } from "./_process.ts";
import { digestAnswer, payload, REFUSED_PORT } from "./_targets.ts";

const MIB = 1024 * 1024;

/** netcat has many versions; only OpenBSD's speaks SOCKS. */
const OPENBSD = working("nc is not netcat-openbsd", "sh", "-c", "nc -h 2>&1 | grep -q OpenBSD");

function nc(bench: Bench, input: Uint8Array | string, ...args: readonly (string | number)[]): Promise<Finished> {
  return bench.run(["nc", ...args.map(String)], { input });
}

clients("netcat-openbsd", [program("nc"), OPENBSD], (it) => {
  for (const version of [4, 5]) {
    it(`-X ${version} sends 8 MiB and its end, and gets the answer back`, async (bench) => {
      const server = await bench.server();
      const digest = await bench.digest();
      const upload = payload(8 * MIB);
      const proxy = ["-N", "-X", version, "-x", `127.0.0.1:${server.port}`];
      const { code, stdout } = await nc(bench, upload, ...proxy, "127.0.0.1", digest.port);
      assertEquals([code, stdout], [0, digestAnswer(upload)]);
      assertEquals(digest.connections, 1);
      await loggedSessions(server, digest);
    });

    it(`-X ${version} scans an open port`, async (bench) => {
      const server = await bench.server();
      const digest = await bench.digest();
      const proxy = ["-v", "-z", "-X", version, "-x", `127.0.0.1:${server.port}`];
      const { code, stderr } = await nc(bench, "", ...proxy, "127.0.0.1", digest.port);
      assertEquals(code, 0);
      assertStringIncludes(stderr, "succeeded!");
      await digest.emptied();
    });
  }

  it("-X 4 is told that a port refused", async (bench) => {
    const server = await bench.server();
    const proxy = ["-X", 4, "-x", `127.0.0.1:${server.port}`];
    const { code, stderr } = await nc(bench, "", ...proxy, "127.0.0.1", REFUSED_PORT);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "SOCKSv4 error: Request rejected or failed");
  });

  for (const host of ["127.0.0.1", "::1", "localhost"]) {
    it(`-X 5 is told that a port of ${host} refused`, async (bench) => {
      const server = await bench.server();
      const proxy = ["-X", 5, "-x", `127.0.0.1:${server.port}`];
      const { code, stderr } = await nc(bench, "", ...proxy, host, REFUSED_PORT);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "SOCKSv5 error: Connection refused");
    });
  }

  it("-X 5 reaches an IPv6 address", async (bench) => {
    const server = await bench.server();
    const digest = await bench.digest({ host: "::1" });
    const upload = payload(1000);
    const proxy = ["-N", "-X", 5, "-x", `127.0.0.1:${server.port}`];
    const { code, stdout } = await nc(bench, upload, ...proxy, "::1", digest.port);
    assertEquals([code, stdout], [0, digestAnswer(upload)]);
    await loggedSessions(server, digest);
  });

  it("-X 5 has a name looked up by the proxy", async (bench) => {
    const server = await bench.server();
    const digest = await bench.digest();
    const upload = payload(1000);
    const proxy = ["-N", "-X", 5, "-x", `127.0.0.1:${server.port}`];
    const { code, stdout } = await nc(bench, upload, ...proxy, "localhost", digest.port);
    assertEquals([code, stdout], [0, digestAnswer(upload)]);
    await loggedSessions(server, digest, `localhost:${digest.port}`);
  });

  it("-x reaches the server on an IPv6 listener", async (bench) => {
    const server = await bench.server("--listen", "[::1]:0");
    const digest = await bench.digest();
    const upload = payload(1000);
    const proxy = ["-N", "-X", 5, "-x", `[::1]:${server.port}`];
    const { code, stdout } = await nc(bench, upload, ...proxy, "127.0.0.1", digest.port);
    assertEquals([code, stdout], [0, digestAnswer(upload)]);
  });

  it("is turned away where users are required, for it cannot log in", async (bench) => {
    const server = await bench.server("--user", "alice:secret");
    const proxy = ["-X", 5, "-x", `127.0.0.1:${server.port}`];
    const { code, stderr } = await nc(bench, "", ...proxy, "127.0.0.1", REFUSED_PORT);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "authentication method negotiation failed");
  });
});
