import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { type Bench, clients, loggedSessions, program } from "./_case.ts";
import type { Finished } from "./_process.ts";
import { digestAnswer, GREETING, listening, payload, REFUSED_PORT, sha256 } from "./_targets.ts";

const MIB = 1024 * 1024;
const USERS = ["--user", "alice:secret", "--user", "zoë:pâss wörd@/?#"];

/** Runs curl so that it reads no file of the user's, with the server as its HTTP proxy. */
async function curl(bench: Bench, server: { readonly port: number }, ...args: string[]): Promise<Finished> {
  const proxy = ["--noproxy", "", "--proxy", `http://127.0.0.1:${server.port}`];
  return await bench.run(["curl", "--disable", "--silent", "--show-error", ...proxy, ...args]);
}

function assertFetched({ code, stdout, stderr }: Finished, expected = GREETING): void {
  assertEquals({ code, stdout, stderr }, { code: 0, stdout: expected, stderr: "" });
}

clients("curl, over HTTP", [program("curl")], (it) => {
  for (const how of [[], ["--proxytunnel"], ["--http1.0"], ["--proxytunnel", "--proxy1.0"]]) {
    it(`fetches a page ${how.join(" ")}`, async (bench) => {
      const server = await bench.server();
      const http = await bench.http();
      const more = how.includes("--proxy1.0") ? ["--proxy1.0", `127.0.0.1:${server.port}`, "--proxytunnel"] : how;
      assertFetched(await curl(bench, server, ...more, `${http.origin}/hello`));
      assertEquals(http.requests, ["GET /hello"]);
      await loggedSessions(server, http);
    });
  }

  it("keeps one connection to the origin for pages in a row", async (bench) => {
    const server = await bench.server();
    const http = await bench.http();
    const urls = [1, 2, 3, 4, 5].map((page) => `${http.origin}/hello/${page}`);
    assertFetched(await curl(bench, server, ...urls), GREETING.repeat(5));
    assertEquals(http.connections, 1);
    assertEquals(http.requests.length, 5);
    await loggedSessions(server, http);
  });

  it("goes from origin to origin over one connection", async (bench) => {
    const server = await bench.server();
    const one = await bench.http();
    const two = await bench.http();
    const urls = [one, two, one].map(({ origin }) => `${origin}/hello`);
    const { code, stdout, stderr } = await curl(bench, server, "--verbose", ...urls);
    assertEquals([code, stdout], [0, GREETING.repeat(3)]);
    assertEquals(stderr.match(/Re-using existing connection/g)?.length, 2, stderr);
    assertEquals([one.connections, two.connections], [2, 1]);
  });

  it("--head gets a head alone", async (bench) => {
    const server = await bench.server();
    const http = await bench.http();
    const { code, stdout } = await curl(bench, server, "--head", `${http.origin}/hello`, `${http.origin}/hello`);
    assertEquals(code, 0);
    assertEquals(stdout.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
    assertEquals(http.connections, 1);
  });

  for (const userinfo of ["alice:secret", "zoë:pâss wörd@/?#"]) {
    for (
      const how of [["--proxy-basic"], ["--proxy-anyauth"], ["--proxytunnel"], ["--proxytunnel", "--proxy-anyauth"]]
    ) {
      it(`logs in as ${userinfo} ${how.join(" ")}`, async (bench) => {
        const server = await bench.server(...USERS);
        const http = await bench.http();
        assertFetched(await curl(bench, server, ...how, "--proxy-user", userinfo, `${http.origin}/hello`));
        assertEquals(http.connections, 1);
      });
    }
  }

  for (const how of [[], ["--proxy-user", "alice:wrong"], ["--proxy-user", "alice:wrong", "--proxytunnel"]]) {
    it(`is told 407 ${how.join(" ")}`, async (bench) => {
      const server = await bench.server(...USERS);
      const http = await bench.http();
      const { stdout, stderr } = await curl(bench, server, "--include", ...how, `${http.origin}/hello`);
      assertMatch(`${stdout}${stderr}`, how.includes("--proxytunnel") ? /response 407/ : /^HTTP\/1\.1 407 /);
      assertEquals(http.connections, 0);
    });
  }

  it("is told what went wrong by the status", async (bench) => {
    const server = await bench.server();
    const status = ["--output", "-", "--write-out", "%{http_code}"];
    const own = await curl(bench, server, ...status, `http://127.0.0.1:${server.port}/`);
    assertMatch(own.stdout, /403$/);
    const refused = await curl(bench, server, ...status, `http://127.0.0.1:${REFUSED_PORT}/`);
    assertMatch(refused.stdout, /502$/);
    const tunnel = await curl(bench, server, "--proxytunnel", `http://127.0.0.1:${REFUSED_PORT}/`);
    assertMatch(tunnel.stderr, /response 502/);
  });

  it("downloads 64 MiB unharmed", async (bench) => {
    const server = await bench.server();
    const http = await bench.http();
    const expected = sha256(payload(64 * MIB));
    const { code, bytes } = await curl(bench, server, `${http.origin}/bytes/${64 * MIB}`);
    assertEquals([code, bytes.length], [0, 64 * MIB]);
    assertEquals(sha256(bytes), expected);
    await loggedSessions(server, http);
  }, { deadlineMs: 300_000 });

  for (
    const [how, headers] of [["with a length", []], ["in chunks", ["--header", "Transfer-Encoding: chunked"]]] as const
  ) {
    it(`uploads 64 MiB unharmed, ${how}`, async (bench) => {
      const server = await bench.server();
      const http = await bench.http();
      const upload = payload(64 * MIB);
      const path = join(await bench.folder(), "upload");
      await writeFile(path, upload);
      const request = ["--request", "PUT", ...headers, "--upload-file", path, `${http.origin}/upload`];
      assertFetched(await curl(bench, server, ...request), digestAnswer(upload));
      await loggedSessions(server, http);
    }, { deadlineMs: 300_000 });
  }

  it("frees the connection to the origin when it leaves in the middle of a download", async (bench) => {
    const server = await bench.server();
    const http = await bench.http();
    const { code } = await curl(bench, server, "--output", "/dev/full", `${http.origin}/endless`);
    assertEquals(code, 23, "curl says that it cannot write");
    await http.emptied();
  });
});

/** A page that is not loaded before its WebSocket has said what it got: the image is kept waiting for that. */
const PAGE = `<!doctype html><p id="ws">no socket</p><script>
const p = document.getElementById("ws");
const socket = new WebSocket("ws://" + location.host + "/socket");
socket.onmessage = ({ data }) => { p.textContent = "socket says " + data; socket.send("read"); };
</script><img src="/image">`;

/** A site that speaks WebSocket as far as to send one frame, and that answers for the image once a frame came back. */
function webSite(): ReturnType<typeof createServer> {
  const answered = Promise.withResolvers<void>();
  return createServer((socket) => {
    let upgraded = false;
    let text = "";
    const answer = (type: string, body: string) =>
      socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      if (upgraded) return answered.resolve();
      text += chunk.toString("latin1");
      if (!text.endsWith("\r\n\r\n")) return;
      const head = text;
      text = "";
      const key = /^sec-websocket-key: (\S+)/im.exec(head)?.[1];
      if (key !== undefined) {
        upgraded = true;
        const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
            `Sec-WebSocket-Accept: ${accept}\r\n\r\n\x81\x05hello`,
          "latin1",
        );
      } else if (head.startsWith("GET /page")) {
        answer("text/html", PAGE);
      } else if (head.startsWith("GET /image")) {
        answered.promise.then(() => answer("image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg"/>`));
      } else {
        answer("text/plain", "");
      }
    });
  });
}

clients("Chromium, over HTTP", [program("chromium")], (it) => {
  it("loads a page and opens its WebSocket", async (bench) => {
    const server = await bench.server();
    const site = bench.use(await listening(webSite()));
    const folder = await bench.folder();
    const { stdout } = await bench.run([
      "chromium",
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      // On a busy machine they would take slow for dead.
      "--disable-gpu-watchdog",
      "--disable-hang-monitor",
      "--disable-dev-shm-usage",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-default-apps",
      "--disable-extensions",
      "--disable-sync",
      `--user-data-dir=${folder}`,
      `--proxy-server=http://127.0.0.1:${server.port}`,
      `--proxy-bypass-list=<-loopback>;${
        ["com", "net", "org", "goog", "dev"].map((domain) => `*.${domain}`).join(";")
      }`,
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
      "--dump-dom",
      `http://${site.authority}/page`,
    ], { endGroup: true, env: { HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder } });
    assertStringIncludes(stdout, "socket says hello");
  }, { deadlineMs: 300_000 });
});
