import { assertEquals, assertStringIncludes } from "@std/assert";
import { type Bench, clients, loggedSessions, program } from "./_case.ts";
import type { Finished } from "./_process.ts";
import { digestAnswer, payload, REFUSED_PORT } from "./_targets.ts";

const MIB = 1024 * 1024;

const USERS = ["--user", "alice:secret"];

function ncat(bench: Bench, input: Uint8Array | string, ...args: readonly (string | number)[]): Promise<Finished> {
  // Its own limit for connecting is 10 s.
  return bench.run(["ncat", "--wait", "120s", ...args.map(String)], { input });
}

clients("ncat", [program("ncat")], (it) => {
  for (const type of ["socks4", "socks5"]) {
    it(`--proxy-type ${type} sends 8 MiB and its end, and gets the answer back`, async (bench) => {
      const server = await bench.server();
      const digest = await bench.digest();
      const upload = payload(8 * MIB);
      const proxy = ["--proxy", `127.0.0.1:${server.port}`, "--proxy-type", type];
      assertEquals(await ncat(bench, upload, ...proxy, "127.0.0.1", digest.port), answered(digestAnswer(upload)));
      assertEquals(digest.connections, 1);
      await loggedSessions(server, digest);
    });

    it(`--proxy-type ${type} has a name looked up by the proxy`, async (bench) => {
      const server = await bench.server();
      const digest = await bench.digest();
      const proxy = ["--proxy", `127.0.0.1:${server.port}`, "--proxy-type", type, "--proxy-dns", "remote"];
      assertEquals(await ncat(bench, "name", ...proxy, "localhost", digest.port), answered(digestAnswer(text("name"))));
      await loggedSessions(server, digest, `localhost:${digest.port}`);
    });
  }

  it("--proxy-type socks4 is told that a port refused", async (bench) => {
    const server = await bench.server();
    const proxy = ["--proxy", `127.0.0.1:${server.port}`, "--proxy-type", "socks4"];
    const { code, stderr } = await ncat(bench, "", ...proxy, "127.0.0.1", REFUSED_PORT);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "Proxy connection failed");
  });

  for (const host of ["127.0.0.1", "::1"]) {
    it(`--proxy-type socks5 is told that a port of ${host} refused`, async (bench) => {
      const server = await bench.server();
      const proxy = ["--proxy", `127.0.0.1:${server.port}`, "--proxy-type", "socks5"];
      const { code, stderr } = await ncat(bench, "", ...proxy, host, REFUSED_PORT);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "Connection refused");
    });
  }

  it("--proxy-type socks5 reaches an IPv6 address", async (bench) => {
    const server = await bench.server();
    const digest = await bench.digest({ host: "::1" });
    const proxy = ["--proxy", `127.0.0.1:${server.port}`, "--proxy-type", "socks5"];
    assertEquals(await ncat(bench, "six", ...proxy, "::1", digest.port), answered(digestAnswer(text("six"))));
    await loggedSessions(server, digest);
  });

  it("--proxy reaches the server on an IPv6 listener", async (bench) => {
    const server = await bench.server("--listen", "[::1]:0");
    const digest = await bench.digest();
    const proxy = ["--proxy", `[::1]:${server.port}`, "--proxy-type", "socks5"];
    assertEquals(await ncat(bench, "six", ...proxy, "127.0.0.1", digest.port), answered(digestAnswer(text("six"))));
  });

  it("--proxy-auth logs in to SOCKS5", async (bench) => {
    const server = await bench.server(...USERS);
    const digest = await bench.digest();
    const proxy = ["--proxy", `127.0.0.1:${server.port}`, "--proxy-type", "socks5", "--proxy-auth", "alice:secret"];
    assertEquals(await ncat(bench, "in", ...proxy, "127.0.0.1", digest.port), answered(digestAnswer(text("in"))));
  });

  it("--proxy-auth names the user of SOCKS4", async (bench) => {
    const server = await bench.server();
    const digest = await bench.digest();
    const proxy = ["--proxy", `127.0.0.1:${server.port}`, "--proxy-type", "socks4", "--proxy-auth", "alice"];
    assertEquals(await ncat(bench, "in", ...proxy, "127.0.0.1", digest.port), answered(digestAnswer(text("in"))));
  });

  it("--proxy-auth with a wrong password is rejected", async (bench) => {
    const server = await bench.server(...USERS);
    const digest = await bench.digest();
    const proxy = ["--proxy", `127.0.0.1:${server.port}`, "--proxy-type", "socks5", "--proxy-auth", "alice:wrong"];
    const { code, stderr } = await ncat(bench, "", ...proxy, "127.0.0.1", digest.port);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "authentication failed");
    assertEquals(digest.connections, 0);
  });

  it("is told that no method is acceptable without a user where users are required", async (bench) => {
    const server = await bench.server(...USERS);
    const proxy = ["--proxy", `127.0.0.1:${server.port}`, "--proxy-type", "socks5"];
    const { code, stderr } = await ncat(bench, "", ...proxy, "127.0.0.1", REFUSED_PORT);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "no acceptable authentication method proposed");
  });
});

function answered(stdout: string): Finished {
  return { code: 0, bytes: text(stdout), stdout, stderr: "" };
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
