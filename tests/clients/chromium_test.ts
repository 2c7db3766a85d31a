import { assertEquals, assertMatch } from "@std/assert";
import { type Bench, clients, loggedSessions, program } from "./_case.ts";
import type { RunningServer } from "../conformance/_server.ts";
import type { Finished } from "./_process.ts";
import { REFUSED_PORT, type Routes } from "./_targets.ts";

/** Loads a page and prints what became of it. */
async function chromium(bench: Bench, proxy: string, url: string): Promise<Finished> {
  const folder = await bench.folder();
  return await bench.run([
    "chromium",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    // On a busy machine they would take slow for dead.
    "--disable-gpu-watchdog",
    "--disable-hang-monitor",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    `--user-data-dir=${folder}`,
    `--proxy-server=${proxy}`,
    // Loopback through the proxy; what Chromium wants from its makers' hosts past it, where no name can be looked up.
    `--proxy-bypass-list=<-loopback>;${["com", "net", "org", "goog", "dev"].map((domain) => `*.${domain}`).join(";")}`,
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--enable-logging=stderr",
    "--dump-dom",
    url,
  ], { endGroup: true, env: { HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder } });
}

/** Nothing but loopback may have been asked of the proxy. */
function assertOnlyLoopback(server: RunningServer): void {
  const targets = [...server.output().matchAll(/ - connect (\S+):\d+/g)].map(([, host]) => host!);
  assertEquals(targets.filter((host) => !["127.0.0.1", "localhost"].includes(host)), []);
}

/** A page that is complete only when its script ran and its image, which must be one, was loaded. */
const SITE: Routes = {
  "/page": {
    type: "text/html",
    body: `<!doctype html>
<title>Page</title>
<p id="script">no script</p>
<p id="image">no image</p>
<script src="/script.js"></script>
<img src="/image.svg" onload="document.getElementById('image').textContent = 'image of ' + this.naturalWidth">
`,
  },
  "/script.js": {
    type: "text/javascript",
    body: "document.getElementById('script').textContent = 'script of ' + location.host;",
  },
  "/image.svg": {
    type: "image/svg+xml",
    body: `<svg xmlns="http://www.w3.org/2000/svg" width="42" height="7"><rect width="42" height="7"/></svg>`,
  },
};

const LOADED = ["GET /image.svg", "GET /page", "GET /script.js"];

clients("Chromium", [program("chromium")], (it) => {
  for (const scheme of ["socks5", "socks4"]) {
    it(`loads a page with its script and image through ${scheme}://`, async (bench) => {
      const server = await bench.server();
      const http = await bench.http({ routes: SITE });
      const { stdout } = await chromium(bench, `${scheme}://127.0.0.1:${server.port}`, `${http.origin}/page`);
      assertMatch(stdout, new RegExp(`<p id="script">script of ${http.authority}</p>`));
      assertMatch(stdout, /<p id="image">image of 42<\/p>/);
      assertEquals(http.requests.filter((request) => !request.includes("favicon")).sort(), LOADED);
      await loggedSessions(server, http);
      assertOnlyLoopback(server);
    }, { deadlineMs: 300_000 });
  }

  it("has a name looked up by the proxy", async (bench) => {
    const server = await bench.server();
    const http = await bench.http({ routes: SITE });
    const url = `http://localhost:${http.port}/page`;
    const { stdout } = await chromium(bench, `socks5://127.0.0.1:${server.port}`, url);
    assertMatch(stdout, new RegExp(`<p id="script">script of localhost:${http.port}</p>`));
    assertMatch(stdout, /<p id="image">image of 42<\/p>/);
    await loggedSessions(server, http, `localhost:${http.port}`);
    assertOnlyLoopback(server);
  }, { deadlineMs: 300_000 });

  it("says that the proxy refused when the target did", async (bench) => {
    const server = await bench.server();
    const url = `http://127.0.0.1:${REFUSED_PORT}/`;
    const { stdout, stderr } = await chromium(bench, `socks5://127.0.0.1:${server.port}`, url);
    assertEquals(stdout, "");
    assertMatch(stderr, /Page load failed: net::ERR_SOCKS_CONNECTION_FAILED/);
  }, { deadlineMs: 300_000 });
});
