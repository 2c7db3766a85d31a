import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Bench, clients, loggedSessions, program } from "./_case.ts";
import type { Finished } from "./_process.ts";
import { digestAnswer, GREETING, LONG_LABEL, payload, REFUSED_PORT, sha256 } from "./_targets.ts";

const MIB = 1024 * 1024;

/** Runs curl so that it reads no file of the user's and says what went wrong. */
function curl(bench: Bench, ...args: string[]): Promise<Finished> {
  return bench.run(["curl", "--disable", "--silent", "--show-error", ...args]);
}

function assertFetched({ code, stdout, stderr }: Finished, expected = GREETING): void {
  assertEquals({ code, stdout, stderr }, { code: 0, stdout: expected, stderr: "" });
}

/** curl's exit code for a proxy that refused. */
const PROXY_REFUSED = 97;

const USERS = ["--user", "alice:secret", "--user", "bob:with:colons", "--user", "zoë:pâss wörd@/?#"];

clients("curl", [program("curl")], (it) => {
  for (const version of ["socks4", "socks4a", "socks5", "socks5-hostname"]) {
    for (const name of ["127.0.0.1", "localhost"]) {
      it(`--${version} fetches a page from ${name}`, async (bench) => {
        const server = await bench.server();
        const http = await bench.http();
        const url = `http://${name}:${http.port}/hello`;
        assertFetched(await curl(bench, "--ipv4", `--${version}`, `127.0.0.1:${server.port}`, url));
        assertEquals(http.requests, ["GET /hello"]);
        assertEquals(http.connections, 1);
        const named = name === "localhost" && /4a|hostname/.test(version);
        await loggedSessions(server, http, named ? `localhost:${http.port}` : http.authority);
      });
    }
  }

  for (const version of ["socks5", "socks5-hostname"]) {
    it(`--${version} fetches a page from an IPv6 address`, async (bench) => {
      const server = await bench.server();
      const http = await bench.http({ host: "::1" });
      assertFetched(await curl(bench, `--${version}`, `127.0.0.1:${server.port}`, `${http.origin}/hello`));
      assertEquals(http.connections, 1);
      await loggedSessions(server, http);
    });
  }

  for (const version of ["socks4", "socks4a", "socks5", "socks5-hostname"]) {
    it(`--${version} reaches the server on an IPv6 listener`, async (bench) => {
      const server = await bench.server("--listen", "[::1]:0");
      const http = await bench.http();
      assertFetched(await curl(bench, `--${version}`, `[::1]:${server.port}`, `${http.origin}/hello`));
      assertEquals(http.connections, 1);
    });
  }

  it("reaches the server through a UNIX socket", async (bench) => {
    const path = join(await bench.folder(), "proxy.sock");
    const server = await bench.server("--listen", `unix:${path}`);
    const http = await bench.http();
    for (const option of [["--socks5-hostname", `localhost${path}`], ["--proxy", `socks5h://localhost${path}`]]) {
      assertFetched(await curl(bench, ...option, `${http.origin}/hello`));
    }
    assertEquals(http.connections, 2);
    await loggedSessions(server, http);
  });

  for (const [userinfo, what] of [["alice:secret", "a password"], ["bob:with:colons", "colons in the password"]]) {
    it(`--proxy-user fetches a page with ${what}`, async (bench) => {
      const server = await bench.server(...USERS);
      const http = await bench.http();
      const proxy = ["--socks5", `127.0.0.1:${server.port}`, "--proxy-user", userinfo!];
      assertFetched(await curl(bench, ...proxy, `${http.origin}/hello`));
    });
  }

  it("takes user and password from the proxy's URL, percent-encoded UTF-8 included", async (bench) => {
    const server = await bench.server(...USERS);
    const http = await bench.http();
    const userinfo = `${encodeURIComponent("zoë")}:${encodeURIComponent("pâss wörd@/?#")}`;
    assertFetched(
      await curl(bench, "--proxy", `socks5h://${userinfo}@127.0.0.1:${server.port}`, `${http.origin}/hello`),
    );
  });

  for (const userinfo of ["alice:wrong", "alice:", "mallory:secret", "alice:secret "]) {
    it(`--proxy-user "${userinfo}" is rejected`, async (bench) => {
      const server = await bench.server(...USERS);
      const http = await bench.http();
      const proxy = ["--socks5", `127.0.0.1:${server.port}`, "--proxy-user", userinfo];
      const { code, stdout, stderr } = await curl(bench, ...proxy, `${http.origin}/hello`);
      assertEquals([code, stdout], [PROXY_REFUSED, ""]);
      assertMatch(stderr, /User was rejected by the SOCKS5 server \(1 \d+\)/);
      assertEquals(http.connections, 0);
    });
  }

  it("is turned away without a user where users are required", async (bench) => {
    const server = await bench.server(...USERS);
    const http = await bench.http();
    const { code, stderr } = await curl(bench, "--socks5", `127.0.0.1:${server.port}`, `${http.origin}/hello`);
    assertEquals(code, PROXY_REFUSED);
    assertStringIncludes(stderr, "No authentication method was acceptable");
    assertEquals(http.connections, 0);
  });

  for (const version of ["socks4", "socks4a"]) {
    it(`--${version} is turned away where passwords are required`, async (bench) => {
      const server = await bench.server(...USERS);
      const http = await bench.http();
      const proxy = [`--${version}`, `127.0.0.1:${server.port}`, "--proxy-user", "alice:secret"];
      const { code, stderr } = await curl(bench, ...proxy, `${http.origin}/hello`);
      assertEquals(code, PROXY_REFUSED);
      assertMatch(stderr, /Can't complete SOCKS4 connection .* \(91\)/);
      assertEquals(http.connections, 0);
    });
  }

  for (const version of ["socks4", "socks4a"]) {
    it(`--${version} is told that a port refused`, async (bench) => {
      const server = await bench.server();
      const proxy = [`--${version}`, `127.0.0.1:${server.port}`];
      const { code, stderr } = await curl(bench, ...proxy, `http://127.0.0.1:${REFUSED_PORT}/`);
      assertEquals(code, PROXY_REFUSED);
      assertMatch(stderr, /Can't complete SOCKS4 connection .* \(91\), request rejected or failed/);
    });
  }

  for (const version of ["socks5", "socks5-hostname"]) {
    for (const host of ["127.0.0.1", "[::1]", ...version === "socks5" ? [] : ["localhost"]]) {
      it(`--${version} is told that a port of ${host} refused, by reply 05`, async (bench) => {
        const server = await bench.server();
        const proxy = [`--${version}`, `127.0.0.1:${server.port}`];
        const { code, stderr } = await curl(bench, ...proxy, `http://${host}:${REFUSED_PORT}/`);
        assertEquals(code, PROXY_REFUSED);
        assertMatch(stderr, /Can't complete SOCKS5 connection to .*\. \(5\)/);
      });
    }
  }

  it("is told that a name does not exist, by reply 04", async (bench) => {
    const server = await bench.server();
    const { code, stderr } = await curl(
      bench,
      "--socks5-hostname",
      `127.0.0.1:${server.port}`,
      `http://${LONG_LABEL}/`,
    );
    assertEquals(code, PROXY_REFUSED);
    assertMatch(stderr, /Can't complete SOCKS5 connection to .*\. \(4\)/);
  });

  it("is told that the proxy itself is no target, by reply 02", async (bench) => {
    const server = await bench.server();
    const address = `127.0.0.1:${server.port}`;
    const { code, stderr } = await curl(bench, "--socks5", address, `http://${address}/`);
    assertEquals(code, PROXY_REFUSED);
    assertMatch(stderr, /Can't complete SOCKS5 connection to .*\. \(2\)/);
  });

  it("gets a page that helps when it takes a SOCKS port for an HTTP proxy", async (bench) => {
    const server = await bench.server("--no-mixed");
    const http = await bench.http();
    for (
      const how of [["--proxy", `http://127.0.0.1:${server.port}`, http.origin], [`http://127.0.0.1:${server.port}/`]]
    ) {
      const { code, stdout } = await curl(bench, "--include", ...how);
      assertEquals(code, 0);
      assertMatch(stdout, /^HTTP\/1\.[01] [45]\d\d /);
      assertMatch(stdout, /SOCKS/);
    }
    assertEquals(http.connections, 0);
  });

  it("keeps one session for pages that share a connection", async (bench) => {
    const server = await bench.server();
    const http = await bench.http();
    const urls = [1, 2, 3, 4, 5].map((page) => `${http.origin}/hello/${page}`);
    assertFetched(await curl(bench, "--socks5", `127.0.0.1:${server.port}`, ...urls), GREETING.repeat(5));
    assertEquals(http.connections, 1);
    assertEquals(http.requests.length, 5);
  });

  for (const version of ["socks4a", "socks5-hostname"]) {
    it(`--${version} downloads 64 MiB unharmed`, async (bench) => {
      const server = await bench.server();
      const http = await bench.http();
      const proxy = [`--${version}`, `127.0.0.1:${server.port}`];
      const { code, bytes } = await curl(bench, ...proxy, `${http.origin}/bytes/${64 * MIB}`);
      assertEquals([code, bytes.length], [0, 64 * MIB]);
      assertEquals(sha256(bytes), sha256(payload(64 * MIB)));
    }, { deadlineMs: 300_000 });

    it(`--${version} uploads 32 MiB unharmed`, async (bench) => {
      const server = await bench.server();
      const http = await bench.http();
      const upload = payload(32 * MIB);
      const proxy = [`--${version}`, `127.0.0.1:${server.port}`];
      const request = ["--request", "PUT", "--header", "Expect:", "--upload-file", "-", `${http.origin}/upload`];
      const finished = await bench.run(["curl", "--disable", "--silent", "--show-error", ...proxy, ...request], {
        input: upload,
      });
      assertFetched(finished, digestAnswer(upload));
    }, { deadlineMs: 300_000 });
  }

  it("frees the connection to the target when it leaves in the middle of a download", async (bench) => {
    const server = await bench.server();
    const http = await bench.http();
    const proxy = ["--socks5", `127.0.0.1:${server.port}`];
    const { code } = await curl(bench, "--output", "/dev/full", ...proxy, `${http.origin}/endless`);
    assertEquals(code, 23, "curl says that it cannot write");
    await http.emptied();
  });

  it("runs twenty transfers at once", async (bench) => {
    const server = await bench.server();
    const http = await bench.http();
    const folder = await bench.folder();
    const transfers = Array.from({ length: 20 }, (_, index) => [
      "--output",
      join(folder, `${index}`),
      `${http.origin}/bytes/${MIB + index}`,
    ]);
    const parallel = ["--parallel", "--parallel-immediate", "--parallel-max", "20"];
    const proxy = ["--socks5-hostname", `127.0.0.1:${server.port}`];
    const { code } = await curl(bench, ...parallel, ...proxy, ...transfers.flat());
    assertEquals(code, 0);
    for (let index = 0; index < 20; index++) {
      assertEquals(sha256(await readFile(join(folder, `${index}`))), sha256(payload(MIB + index)));
    }
    assertEquals(http.connections, 20);
  }, { deadlineMs: 300_000 });
});
