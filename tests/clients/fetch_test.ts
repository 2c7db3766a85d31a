import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { fetch as undiciFetch, Socks5ProxyAgent } from "npm:undici@^8.12.4";
import { type Bench, clients, loggedSessions } from "./_case.ts";
import type { RunningServer } from "../conformance/_server.ts";
import { GREETING, payload, REFUSED_PORT, sha256 } from "./_targets.ts";

const MIB = 1024 * 1024;

const USERS = ["--user", "alice:secret"];

/** What both implementations of `fetch` have in common. */
type Fetch = (url: string, init?: { method: string; body: Uint8Array<ArrayBuffer> }) => Promise<{
  readonly status: number;
  text(): Promise<string>;
  arrayBuffer(): Promise<ArrayBuffer>;
}>;

/** A client that goes through a proxy until it is closed, which the end of the case does too. */
interface Client {
  readonly fetch: Fetch;
  close(): Promise<void>;
}

type Through = (bench: Bench, proxy: string) => Client;

const deno: Through = (bench, proxy) => {
  const client = Deno.createHttpClient({ proxy: { url: proxy } });
  return closing(bench, (url, init) => fetch(url, { ...init, client }), () => Promise.resolve(client.close()));
};

const undici: Through = (bench, proxy) => {
  // Its own limit for connecting is 5 s, in which this process may be busy with the bytes of others.
  const dispatcher = new Socks5ProxyAgent(proxy, { connectTimeout: 120_000 });
  return closing(bench, (url, init) => undiciFetch(url, { ...init, dispatcher }), () => dispatcher.destroy());
};

function closing(bench: Bench, fetch: Fetch, end: () => Promise<void>): Client {
  let ended: Promise<void> | undefined;
  const close = () => ended ??= end();
  bench.use({ [Symbol.asyncDispose]: close });
  return { fetch, close };
}

function urlOf(server: RunningServer, scheme: string, userinfo = ""): string {
  return `${scheme}://${userinfo}127.0.0.1:${server.port}`;
}

/** Everything an error says, with what caused it. */
function wholeMessage(error: unknown): string {
  return error instanceof Error ? `${error.message}: ${wholeMessage(error.cause)}` : `${error ?? ""}`;
}

async function failure(promise: Promise<unknown>): Promise<string> {
  return wholeMessage(await assertRejects(() => promise));
}

for (
  const { name, through, schemes, refused, wrong } of [
    {
      name: "Deno's fetch",
      through: deno,
      schemes: ["socks5", "socks5h"],
      refused: /Connection refused/,
      wrong: /Password auth failure/,
    },
    {
      name: "undici's fetch",
      through: undici,
      schemes: ["socks5"],
      refused: /Connection refused/,
      wrong: /[Aa]uthentication failed/,
    },
  ]
) {
  clients(name, [], (it) => {
    for (const scheme of schemes) {
      it(`gets a page through ${scheme}://`, async (bench) => {
        const server = await bench.server();
        const http = await bench.http();
        const client = through(bench, urlOf(server, scheme));
        const response = await client.fetch(`${http.origin}/hello`);
        assertEquals([response.status, await response.text()], [200, GREETING]);
        assertEquals(http.connections, 1);
        await client.close();
        await loggedSessions(server, http);
      });
    }

    it("has a name looked up by the proxy", async (bench) => {
      const server = await bench.server();
      const http = await bench.http();
      const client = through(bench, urlOf(server, schemes.at(-1)!));
      const response = await client.fetch(`http://localhost:${http.port}/hello`);
      assertEquals([response.status, await response.text()], [200, GREETING]);
      await client.close();
      await loggedSessions(server, http, `localhost:${http.port}`);
    });

    it("gets a page from an IPv6 address", async (bench) => {
      const server = await bench.server();
      const http = await bench.http({ host: "::1" });
      const client = through(bench, urlOf(server, schemes[0]!));
      const response = await client.fetch(`${http.origin}/hello`);
      assertEquals([response.status, await response.text()], [200, GREETING]);
      assertEquals(http.connections, 1);
      await client.close();
      await loggedSessions(server, http);
    });

    it("logs in, and is told when the password was wrong", async (bench) => {
      const server = await bench.server(...USERS);
      const http = await bench.http();
      const right = through(bench, urlOf(server, schemes[0]!, "alice:secret@"));
      assertEquals(await (await right.fetch(`${http.origin}/hello`)).text(), GREETING);
      const mistaken = through(bench, urlOf(server, schemes[0]!, "alice:wrong@"));
      assertMatch(await failure(mistaken.fetch(`${http.origin}/hello`)), wrong);
      assertEquals(http.connections, 1);
    });

    it("is told that a port refused", async (bench) => {
      const server = await bench.server();
      const client = through(bench, urlOf(server, schemes[0]!));
      assertMatch(await failure(client.fetch(`http://127.0.0.1:${REFUSED_PORT}/`)), refused);
    });

    it("uploads and downloads 8 MiB eight times at once", async (bench) => {
      const server = await bench.server();
      const http = await bench.http();
      const client = through(bench, urlOf(server, schemes[0]!));
      const sizes = Array.from({ length: 8 }, (_, index) => 8 * MIB + index);
      const downloads = sizes.map(async (size) => {
        const body = await (await client.fetch(`${http.origin}/bytes/${size}`)).arrayBuffer();
        return sha256(new Uint8Array(body));
      });
      const uploads = sizes.map(async (size) => {
        const response = await client.fetch(`${http.origin}/upload`, { method: "PUT", body: payload(size) });
        return (await response.text()).trim().split(" ")[1];
      });
      const expected = sizes.map((size) => sha256(payload(size)));
      assertEquals(await Promise.all(downloads), expected);
      assertEquals(await Promise.all(uploads), expected);
    }, { deadlineMs: 300_000 });
  });
}
