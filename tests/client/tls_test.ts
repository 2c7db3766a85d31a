/** TLS to the proxy, on real sockets. */

import { assertEquals, assertRejects } from "@std/assert";
import { connect as connectTcp } from "node:net";
import { after, before, describe, test } from "node:test";
import { createServer } from "node:tls";
import { connect } from "../../src/client/connect.ts";
import { ProxyError } from "../../src/client/proxy_error.ts";
import { NetError } from "../../src/net/errors.ts";
import { currentRuntime } from "../../src/runtime/detect.ts";
import { serve } from "../../src/server/server.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import { readPattern, sendPattern } from "../runtime/_support.ts";
import { soon } from "../server/_harness.ts";
import { CERTIFICATE, KEY } from "./_certificate.ts";
import { Resources } from "./_servers.ts";

const runtime = await currentRuntime();
const SIZE = 1 << 20;
const authorities = [CERTIFICATE];

describe("TLS to the proxy", () => {
  const resources = new Resources();
  let port = 0, plain = 0, second = 0, target = 0;

  before(async () => {
    const server = await serve({ listen: "127.0.0.1:0", rules: { request: () => undefined } });
    resources.defer(() => server.close());
    plain = (server.addresses[0] as { port: number }).port;

    // A server does not connect to itself.
    const other = await serve({ listen: "127.0.0.1:0", rules: { request: () => undefined } });
    resources.defer(() => other.close());
    second = (other.addresses[0] as { port: number }).port;

    const front = createServer({ cert: CERTIFICATE, key: KEY, allowHalfOpen: true } as object, (client) => {
      const inside = connectTcp({ port: plain, host: "127.0.0.1", allowHalfOpen: true });
      client.pipe(inside).pipe(client);
      client.on("error", () => inside.destroy());
      inside.on("error", () => client.destroy());
    });
    front.on("tlsClientError", () => {});
    await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
    resources.defer(() => front.close());
    port = (front.address() as { port: number }).port;

    const echo = await runtime.listen({ address: { ip: "127.0.0.1", port: 0 } });
    resources.defer(() => echo.close());
    target = (echo.address as { port: number }).port;
    (async () => {
      for await (const connection of echo) {
        const end = duplexOf(connection);
        const pump = async () => {
          for (let chunk = await end.read(); chunk !== null; chunk = await end.read()) await end.write(chunk.slice());
          end.closeWrite();
        };
        pump().catch(() => end.close());
      }
    })();
  });
  after(() => resources[Symbol.asyncDispose]());

  test("1 MiB there, its end, and 1 MiB back; by address and by name", async () => {
    for (const host of ["127.0.0.1", "localhost"]) {
      const proxy = `socks5h+tls://${host}:${port}`;
      const connection = await soon(connect(`127.0.0.1:${target}`, { proxy, authorities, runtime }));
      const sending = sendPattern(connection, SIZE).then(() => connection.closeWrite());
      assertEquals(await readPattern(connection), SIZE);
      await sending;
    }
  });

  test("within a chain, and a chain within it", async () => {
    const [secure, clear] = [`socks5h+tls://localhost:${port}`, `socks5h://127.0.0.1:${second}`];
    for (const proxy of [[clear, secure], [secure, clear], [secure, secure]]) {
      const connection = await soon(connect(`127.0.0.1:${target}`, { proxy, authorities, runtime }));
      const sending = sendPattern(connection, SIZE).then(() => connection.closeWrite());
      assertEquals(await readPattern(connection), SIZE);
      await sending;
    }
  });

  const failure = async (proxy: string, more: object = {}) => {
    const options = { proxy, runtime, ...more };
    return await assertRejects(() => soon(connect(`127.0.0.1:${target}`, options)), ProxyError);
  };

  test("a certificate that nobody vouches for, or of another, is not good", async () => {
    const stranger = await failure(`socks5h+tls://localhost:${port}`);
    assertEquals([stranger.phase, stranger.code], ["tls", "not-allowed"]);
    const lookup = () => Promise.resolve(["127.0.0.1"]);
    const other = await failure(`socks5h+tls://other.test:${port}`, { authorities, lookup });
    assertEquals([other.phase, other.code], ["tls", "not-allowed"]);
  });

  test("what speaks no TLS is told apart", async () => {
    const error = await failure(`socks5h+tls://localhost:${plain}`, { authorities });
    assertEquals(error.phase, "tls");
  });

  test("its signal ends it", async () => {
    // The connection alone must not take as long.
    const silent = await runtime.listen({ address: { ip: "127.0.0.1", port: 0 } });
    const { port } = silent.address as { port: number };
    const error = await failure(`socks5h+tls://127.0.0.1:${port}`, { authorities, timeout: 3_000 });
    assertEquals([error.phase, error.code], ["tls", "timeout"]);
    silent.close();
  });

  test("closing it ends its reads", async () => {
    const proxy = `socks5h+tls://localhost:${port}`;
    const connection = await soon(connect(`127.0.0.1:${target}`, { proxy, authorities, runtime }));
    const reading = assertRejects(() => connection.read(), NetError);
    connection.close(new Error("enough"));
    await soon(reading);
    await soon(connection.closed);
  });
});
