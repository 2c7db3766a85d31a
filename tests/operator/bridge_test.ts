/** Browsers through a proxy that they cannot log in to. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type RunningServer, startServer } from "../conformance/_server.ts";
import { PEERS, Resources } from "../client/_servers.ts";
import { type Bench, clients, program, sessionLine } from "../clients/_case.ts";
import { GREETING, REFUSED_PORT } from "../clients/_targets.ts";

async function bridge(bench: Bench, ...args: readonly string[]): Promise<RunningServer> {
  return bench.use(
    await startServer(bench.runtime, ["bridge", "--listen", "127.0.0.1:0", "--log-format", "text", ...args]),
  );
}

clients("bridge", [program("curl")], (it) => {
  const curl = (bench: Bench, proxy: string, url: string, ...more: readonly string[]) =>
    bench.run(["curl", "-q", "--no-progress-meter", "--proxy", proxy, ...more, url]);

  it("lets SOCKS and HTTP in without a login, and logs in itself; names are left to the proxy", async (bench) => {
    const upstream = await bench.server("--user", "ada:lovelace");
    const http = await bench.http();
    const { port, output } = await bridge(bench, "--via", `socks5://ada:lovelace@127.0.0.1:${upstream.port}`);
    const url = `http://localhost:${http.port}/hello`;
    for (const scheme of ["socks5h", "socks4a", "http"]) {
      const { code, stdout } = await curl(bench, `${scheme}://127.0.0.1:${port}`, url);
      assertEquals([code, stdout], [0, GREETING]);
    }
    const tunnel = await curl(bench, `http://127.0.0.1:${port}`, url, "--proxytunnel");
    assertEquals([tunnel.code, tunnel.stdout], [0, GREETING]);
    assertStringIncludes(await sessionLine(upstream, `localhost:${http.port}`), " ada connect ");
    assertEquals([output().includes("lovelace"), /localhost:\d+ \(127/.test(output())], [false, false]);
  });

  it("passes on what the proxy says of a target", async (bench) => {
    const upstream = await bench.server();
    const { port } = await bridge(bench, "--via", `socks5://127.0.0.1:${upstream.port}`);
    const { code, stderr } = await curl(bench, `socks5h://127.0.0.1:${port}`, `http://127.0.0.1:${REFUSED_PORT}/`);
    assertEquals(code, 97);
    assertMatch(stderr, /\(5\)|refused/);
    const http = await curl(bench, `http://127.0.0.1:${port}`, `http://127.0.0.1:${REFUSED_PORT}/`, "-i");
    assertMatch(http.stdout, /^HTTP\/1\.1 502 /);
  });

  it("takes the password from a file, and goes through other servers too", async (bench) => {
    const http = await bench.http();
    const microsocks = PEERS.find(({ name }) => name === "microsocks")!;
    const upstream = await microsocks.start(bench.use(new Resources()), true);
    const file = join(await bench.folder(), "proxy");
    await writeFile(file, `socks5://ada:lovelace@127.0.0.1:${upstream}\n`, { mode: 0o600 });
    const { port } = await bridge(bench, "--via-file", file);
    const { code, stdout } = await curl(bench, `http://127.0.0.1:${port}`, `${http.origin}/hello`);
    assertEquals([code, stdout], [0, GREETING]);
  }, { needs: [program("microsocks")] });

  it("serves other machines on purpose alone", async (bench) => {
    const { code, stderr } = await bench.run([
      ...bench.runtime.command,
      "bridge",
      "--via",
      "socks5://127.0.0.1:1",
      "--listen",
      "0.0.0.0:0",
    ]);
    assertEquals(code, 2);
    assertMatch(stderr, /^Cannot listen on "0\.0\.0\.0:0" without users/);
  });

  it("shows a page to Chromium, which has no way to log in", async (bench) => {
    const upstream = await bench.server("--user", "ada:lovelace");
    const http = await bench.http({
      routes: {
        "/page": { type: "text/html", body: `<p id="script">none</p><script src="/script.js"></script>` },
        "/script.js": { type: "text/javascript", body: "document.getElementById('script').textContent = 'it ran'" },
      },
    });
    const { port } = await bridge(bench, "--via", `socks5://ada:lovelace@127.0.0.1:${upstream.port}`);
    for (const scheme of ["socks5", "http"]) {
      const folder = await bench.folder();
      const { stdout } = await bench.run([
        "chromium",
        ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"],
        ...["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        ...["--disable-default-apps", "--disable-extensions", `--user-data-dir=${folder}`],
        `--proxy-server=${scheme}://127.0.0.1:${port}`,
        // Loopback through the proxy; what Chromium wants from its makers' hosts past it, where no name is looked up.
        `--proxy-bypass-list=<-loopback>;${["com", "net", "org", "goog", "dev"].map((end) => `*.${end}`).join(";")}`,
        ...["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--dump-dom"],
        `http://localhost:${http.port}/page`,
      ], { endGroup: true, env: { HOME: folder, XDG_CONFIG_HOME: folder, XDG_CACHE_HOME: folder } });
      assertStringIncludes(stdout, `<p id="script">it ran</p>`);
    }
    assertStringIncludes(await sessionLine(upstream, `localhost:${http.port}`), " ada connect ");
  }, { needs: [program("chromium")], deadlineMs: 300_000 });
});
