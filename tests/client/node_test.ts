/** Node's HTTP clients through a proxy. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { createServer, get as httpGet, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createSecureServer, get as httpsGet } from "node:https";
import { createServer as createTcpServer, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { Agent, request } from "undici";
import { SocksAgent, SocksHttpsAgent } from "../../src/client/node_agents.ts";
import { undiciConnector } from "../../src/client/undici_connector.ts";
import type { ClientOptions } from "../../src/client/client_options.ts";
import { ProxyError } from "../../src/client/proxy_error.ts";
import { serve } from "../../src/server/server.ts";
import { soon } from "../server/_harness.ts";
import { CERTIFICATE, KEY } from "./_certificate.ts";
import { Resources } from "./_servers.ts";

/** How long a connection is kept alive without a request, in milliseconds: longer than any test takes. */
const KEEP_ALIVE = 600_000;

const answer: RequestListener = (request, response) => {
  const chunks: Uint8Array[] = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const size = chunks.reduce((sum, { length }) => sum + length, 0);
    response.end(`${request.method} ${request.headers.host} ${size}`);
  });
};

async function textOf(response: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of response) text += chunk;
  return text;
}

describe("Node's HTTP clients", () => {
  const resources = new Resources();
  const targets: string[] = [];
  let proxy = "", sessions = 0, plain = 0, secure = 0;

  before(async () => {
    const server = await serve({
      listen: "127.0.0.1:0",
      users: [{ name: "ada", password: "lovelace" }],
      rules: {
        request: ({ target }) => {
          sessions++;
          targets.push(target.host);
          return target.port === 1 ? { deny: "closed" } : undefined;
        },
      },
    });
    resources.defer(() => server.close());
    proxy = `socks5h://ada:lovelace@127.0.0.1:${(server.addresses[0] as { port: number }).port}`;
    const http = createServer(answer);
    const https = createSecureServer({ cert: CERTIFICATE, key: KEY }, answer);
    for (const each of [http, https]) {
      each.keepAliveTimeout = KEEP_ALIVE;
      await new Promise<void>((resolve) => each.listen(0, "127.0.0.1", resolve));
      resources.defer(() => (each.closeAllConnections(), each.close()));
    }
    plain = (http.address() as { port: number }).port;
    secure = (https.address() as { port: number }).port;
  });
  after(() => resources[Symbol.asyncDispose]());

  const getHttp = (agent: SocksAgent, url: string) =>
    new Promise<string>((resolve, reject) => {
      httpGet(url, { agent }, (response) => textOf(response).then(resolve, reject)).on("error", reject);
    });

  test("node:http, one connection kept alive", async () => {
    const agent = new SocksAgent({ proxy }, { keepAlive: true, maxSockets: 1 });
    const before = sessions;
    for (let i = 0; i < 3; i++) {
      assertEquals(await soon(getHttp(agent, `http://localhost:${plain}/`)), `GET localhost:${plain} 0`);
    }
    assertEquals(sessions - before, 1);
    assertEquals(targets.at(-1), "localhost");
    agent.destroy();
  });

  test("node:https", async () => {
    const agent = new SocksHttpsAgent({ proxy }, { ca: CERTIFICATE });
    const text = new Promise<string>((resolve, reject) => {
      httpsGet(`https://localhost:${secure}/`, { agent }, (response) => textOf(response).then(resolve, reject))
        .on("error", reject);
    });
    assertEquals(await soon(text), `GET localhost:${secure} 0`);
    agent.destroy();
  });

  test("a failure is the request's error", async () => {
    const agent = new SocksAgent({ proxy });
    const error = await assertRejects(() => soon(getHttp(agent, "http://localhost:1/")), ProxyError);
    assertEquals([error.phase, error.reply], ["reply", 2]);
  });

  test("a connector by itself: https is done when it calls back", async () => {
    const connector = undiciConnector({ proxy }, { ca: CERTIFICATE });
    const socket = await soon(
      new Promise<Socket>((resolve, reject) =>
        connector(
          { hostname: "localhost", protocol: "https:", port: `${secure}` },
          (...[error, socket]) => error === null ? resolve(socket) : reject(error),
        )
      ),
    );
    socket.write("GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
    let text = "";
    for await (const chunk of socket) text += chunk;
    assertStringIncludes(text, "GET here 0");
  });

  test("a connector by itself: a target that says nothing in TLS is given up, and left", async () => {
    const silent = createTcpServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    resources.defer(() => silent.close());
    const { port } = silent.address() as { port: number };
    const leaving = new AbortController();
    const given: readonly (readonly [Pick<ClientOptions, "signal" | "timeout">, string])[] = [
      [{ signal: leaving.signal }, "called off"],
      [{ timeout: 3_000 }, "no end of it within 3000 ms"],
    ];
    for (const [limits, words] of given) {
      const greeted = new Promise<Socket>((resolve) =>
        silent.once("connection", (socket) => socket.on("error", () => {}).on("data", () => resolve(socket)))
      );
      const connector = undiciConnector({ proxy, ...limits });
      const failed = new Promise<Error>((resolve, reject) =>
        connector(
          { hostname: "localhost", protocol: "https:", port: `${port}` },
          (...[error]) => error === null ? reject(new Error("it connected")) : resolve(error),
        )
      );
      const socket = await soon(greeted);
      const left = new Promise((resolve) => socket.once("close", resolve));
      leaving.abort();
      assertEquals((await soon(failed)).message, `Cannot speak TLS with "localhost:${port}": ${words}`);
      await soon(left);
    }
  });

  // Bun puts an undici of its own in the package's place, which heeds no dispatcher.
  if ("Bun" in globalThis) return;

  test("undici: http and https, with a body of 1 MiB, one connection kept alive", async () => {
    const dispatcher = new Agent({
      connections: 1,
      keepAliveTimeout: KEEP_ALIVE,
      keepAliveMaxTimeout: KEEP_ALIVE,
      connect: undiciConnector({ proxy }, { ca: CERTIFICATE }),
    });
    const before = sessions;
    for (const origin of [`http://localhost:${plain}`, `https://localhost:${secure}`]) {
      for (let i = 0; i < 2; i++) {
        const body = new Uint8Array(1 << 20);
        const response = await soon(request(origin, { dispatcher, method: "POST", body }));
        assertEquals(await soon(response.body.text()), `POST ${new URL(origin).host} ${1 << 20}`);
      }
    }
    assertEquals(sessions - before, 2);
    await dispatcher.close();
  });

  test("undici: a failure is the request's error", async () => {
    const dispatcher = new Agent({ connect: undiciConnector({ proxy }) });
    const error = await assertRejects(() => soon(request("http://localhost:1/", { dispatcher })), ProxyError);
    assertEquals(error.reply, 2);
    await dispatcher.close();
  });
});
