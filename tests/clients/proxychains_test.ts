import { assertEquals, assertMatch } from "@std/assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Bench, clients, loggedSessions, program, sessionLine } from "./_case.ts";
import type { Finished } from "./_process.ts";
import { digestAnswer, GREETING, LONG_LABEL, payload, REFUSED_PORT, sha256 } from "./_targets.ts";

const MIB = 1024 * 1024;

const USERS = ["--user", "alice:secret"];

/** What proxychains4 does besides the list of proxies. */
interface Chain {
  /** How it picks from the list. */
  readonly strategy?: "strict_chain" | "dynamic_chain" | "random_chain" | "round_robin_chain";
  /** Lines of the list: type, address, port, and maybe user and password. */
  readonly proxies: readonly string[];
}

/** Runs a command behind proxychains4; its standard error says which way each connection took. */
async function behind(
  bench: Bench,
  { strategy = "strict_chain", proxies }: Chain,
  command: readonly string[],
  input?: Uint8Array,
): Promise<Finished> {
  const path = join(await bench.folder(), "proxychains.conf");
  const length = /random|round/.test(strategy) ? ["chain_len = 1"] : [];
  const timeouts = ["tcp_read_time_out 120000", "tcp_connect_time_out 120000"];
  const lines = [strategy, ...length, "proxy_dns", ...timeouts, "[ProxyList]", ...proxies];
  await writeFile(path, lines.join("\n") + "\n");
  return await bench.run(["proxychains4", "-f", path, ...command], input === undefined ? {} : { input });
}

const CURL = ["curl", "--disable", "--silent", "--show-error"];

clients("proxychains4", [program("proxychains4"), program("curl")], (it) => {
  for (const type of ["socks4", "socks5"]) {
    it(`gives curl a ${type} proxy that curl knows nothing of`, async (bench) => {
      const server = await bench.server();
      const http = await bench.http();
      const chain = { proxies: [`${type} 127.0.0.1 ${server.port}`] };
      const { code, stdout } = await behind(bench, chain, [...CURL, `${http.origin}/hello`]);
      assertEquals([code, stdout], [0, GREETING]);
      assertEquals(http.connections, 1);
      await loggedSessions(server, http);
    });

    it(`carries 8 MiB through a ${type} proxy unharmed`, async (bench) => {
      const server = await bench.server();
      const http = await bench.http();
      const chain = { proxies: [`${type} 127.0.0.1 ${server.port}`] };
      const { code, bytes } = await behind(bench, chain, [...CURL, `${http.origin}/bytes/${8 * MIB}`]);
      assertEquals([code, sha256(bytes)], [0, sha256(payload(8 * MIB))]);
    });

    it(`says which port refused behind a ${type} proxy`, async (bench) => {
      const server = await bench.server();
      const chain = { proxies: [`${type} 127.0.0.1 ${server.port}`] };
      const { code, stderr } = await behind(bench, chain, [...CURL, `http://127.0.0.1:${REFUSED_PORT}/`]);
      assertEquals(code, 7);
      assertMatch(stderr, new RegExp(`127\\.0\\.0\\.1:${REFUSED_PORT} <--(denied|socket error)`));
    });
  }

  it("hands names that it cannot look up to the proxy", async (bench) => {
    const server = await bench.server();
    const chain = { proxies: [`socks5 127.0.0.1 ${server.port}`] };
    const { code, stderr } = await behind(bench, chain, [...CURL, `http://${LONG_LABEL}/`]);
    assertEquals(code, 7);
    assertMatch(stderr, new RegExp(`${LONG_LABEL}:80 <--(denied|socket error)`));
    await sessionLine(server, `${LONG_LABEL}:80`);
  });

  it("gives nc a proxy, and passes the end of one direction on", async (bench) => {
    const server = await bench.server();
    const digest = await bench.digest();
    const chain = { proxies: [`socks5 127.0.0.1 ${server.port}`] };
    const upload = payload(MIB);
    const { code, stdout } = await behind(bench, chain, ["nc", "-N", "127.0.0.1", `${digest.port}`], upload);
    assertEquals([code, stdout], [0, digestAnswer(upload)]);
    await loggedSessions(server, digest);
  }, { needs: [program("nc")] });

  it("logs in with user and password", async (bench) => {
    const server = await bench.server(...USERS);
    const http = await bench.http();
    const chain = { proxies: [`socks5 127.0.0.1 ${server.port} alice secret`] };
    const { code, stdout } = await behind(bench, chain, [...CURL, `${http.origin}/hello`]);
    assertEquals([code, stdout], [0, GREETING]);
    assertEquals(http.connections, 1);
  });

  for (const [what, proxy] of [["a wrong password", "alice wrong"], ["no user", ""]]) {
    it(`is denied with ${what}`, async (bench) => {
      const server = await bench.server(...USERS);
      const http = await bench.http();
      const chain = { proxies: [`socks5 127.0.0.1 ${server.port} ${proxy}`] };
      const { code, stderr } = await behind(bench, chain, [...CURL, `${http.origin}/hello`]);
      assertEquals(code, 7);
      assertMatch(stderr, /<--(denied|socket error)/);
      assertEquals(http.connections, 0);
    });
  }

  it("strict_chain goes through two of our servers, SOCKS4 within SOCKS5", async (bench) => {
    const [outer, inner] = [await bench.server(...USERS), await bench.server()];
    const http = await bench.http();
    const proxies = [`socks5 127.0.0.1 ${outer.port} alice secret`, `socks4 127.0.0.1 ${inner.port}`];
    const { code, stdout } = await behind(bench, { proxies }, [...CURL, `${http.origin}/hello`]);
    assertEquals([code, stdout], [0, GREETING]);
    assertEquals(http.connections, 1);
    await sessionLine(outer, `127.0.0.1:${inner.port}`);
    await loggedSessions(inner, http);
  });

  it("dynamic_chain steps over a dead proxy", async (bench) => {
    const server = await bench.server();
    const http = await bench.http();
    const proxies = [`socks5 127.0.0.1 ${REFUSED_PORT}`, `socks5 127.0.0.1 ${server.port}`];
    const chain = { strategy: "dynamic_chain", proxies } as const;
    const { code, stdout } = await behind(bench, chain, [...CURL, `${http.origin}/hello`]);
    assertEquals([code, stdout], [0, GREETING]);
    assertEquals(http.connections, 1);
  });

  for (const strategy of ["random_chain", "round_robin_chain"] as const) {
    it(`${strategy} mixes SOCKS4 and SOCKS5 over five connections`, async (bench) => {
      const server = await bench.server();
      const http = await bench.http();
      const proxies = [`socks4 127.0.0.1 ${server.port}`, `socks5 127.0.0.1 ${server.port}`];
      const urls = Array<string>(5).fill(`${http.origin}/hello`);
      const command = [...CURL, "--no-keepalive", "--header", "Connection: close", ...urls];
      const { code, stdout } = await behind(bench, { strategy, proxies }, command);
      assertEquals([code, stdout], [0, GREETING.repeat(5)]);
      assertEquals(http.connections, 5);
    });
  }
});
