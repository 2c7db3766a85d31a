import { assertEquals, assertMatch } from "@std/assert";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { clients, loggedSessions, program, sessionLine } from "./_case.ts";
import { startServer, succeeds } from "../conformance/_server.ts";
import { GREETING } from "./_targets.ts";

const PAGE = join(dirname(fileURLToPath(import.meta.url)), "_page.ts");

/** Whether a network can be had in which the default port is free, whatever else runs on this machine. */
const isolated = succeeds("unshare", "--net", "ip", "link", "set", "lo", "up") && succeeds("nsenter", "--version");

clients("the first command", [program("curl")], (it) => {
  it("serves on 127.0.0.1:1080, and curl fetches a page through it, as the log says", async (bench) => {
    const namespace = ["unshare", "--net", "sh", "-c", `ip link set lo up && exec "$@"`, "sh"];
    const server = bench.use(
      await startServer(bench.runtime, [], { listen: false, prefix: isolated ? namespace : [] }),
    );
    assertEquals(server.addresses, [{ host: "127.0.0.1", port: 1080 }]);
    const inside = isolated ? ["nsenter", `--net=/proc/${server.pid}/ns/net`] : [];
    const page = bench.start([...inside, process.execPath, "run", "-A", "--no-check", PAGE]);
    const port = /^port (\d+)\n/m;
    await page.waitForOutput(port);
    const authority = `localhost:${port.exec(page.output())![1]}`;
    const curl = ["curl", "--disable", "--silent", "--show-error", "--socks5-hostname", "127.0.0.1:1080"];
    const { code, stdout, stderr } = await bench.run([...inside, ...curl, `http://${authority}/`]);
    assertEquals({ code, stdout, stderr }, { code: 0, stdout: GREETING, stderr: "" });
    await page.waitForOutput(/^GET \/\n/m);
    assertMatch(await sessionLine(server, authority), /connect/);
  }, { needs: isolated ? [] : [freePort1080] });

  it("says how to try it, and what it says works", async (bench) => {
    const server = await bench.server();
    const http = await bench.http();
    const said = await server.waitForOutput(/curl --socks5-hostname \S+ https:\/\/example\.com/);
    const args = said.replace("https://example.com", `${http.origin}/hello`).split(" ").slice(1);
    const { code, stdout } = await bench.run(["curl", "--disable", "--silent", ...args]);
    assertEquals([code, stdout], [0, GREETING]);
    assertEquals(http.connections, 1);
    await loggedSessions(server, http);
  });
});

/** Without a network of its own the server can have its default port only if nobody else listens on it. */
function freePort1080(): string | undefined {
  const listener = /^ *\d+: (0100007F|00000000):0438 00000000:0000 0A/m;
  return listener.test(readFileSync("/proc/net/tcp", "latin1")) ? "port 1080 is taken" : undefined;
}
