import { assert, assertEquals, assertMatch } from "@std/assert";
import { BAD_CHUNKS, REFUSED } from "../server/_http_corpus.ts";
import { bytesOf } from "../../src/protocol/http_head.ts";
import { eventually, hex, Target, Wire } from "./_client.ts";
import { suite } from "./_suite.ts";

const decoder = new TextDecoder();

suite("HTTP", ({ test }) => {
  test("requests that could be read in two ways are refused", async ({ server }) => {
    for (const [what, head] of Object.entries(REFUSED)) {
      if (!/^[A-Z]/.test(head)) continue; // that is no HTTP to begin with
      using wire = await Wire.connect(server);
      // Nobody but this machine is to be asked, whatever becomes of it.
      await wire.write(bytesOf(head.replaceAll("example.com", "127.0.0.1")));
      const { data, ending } = await wire.readToEnd();
      assertMatch(decoder.decode(data), /^HTTP\/1\.1 400 /, what);
      assertEquals(ending, "fin", what);
    }
  });

  test("bodies that could be read in two ways reach no origin as a whole", async ({ server }) => {
    for (const [what, chunks] of Object.entries(BAD_CHUNKS)) {
      using target = await Target.listen();
      const authority = `127.0.0.1:${target.port}`;
      using wire = await Wire.connect(server);
      const head = `POST http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\nTransfer-Encoding: chunked\r\n\r\n`;
      await wire.write(bytesOf(`${head}${chunks}GET /smuggled HTTP/1.1\r\nHost: ${authority}\r\n\r\n`));
      using origin = await target.accept();
      const { data, ending } = await wire.readToEnd();
      assertMatch(decoder.decode(data), /^HTTP\/1\.1 (?:400|431) /, what);
      assertEquals(ending, "fin", what);
      const got = await origin.readToEnd();
      assert(!/smuggled|\r\n0\r\n\r\n$/.test(decoder.decode(got.data)), `${what}: ${hex(got.data)}`);
    }
  });

  test("what follows a request is the next one, and goes where it says itself", async ({ server }) => {
    using one = await Target.listen();
    using two = await Target.listen();
    using wire = await Wire.connect(server);
    const post = (port: number, body: string) =>
      `POST http://127.0.0.1:${port}/ HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const inner = post(two.port, "inner");
    await wire.send(post(one.port, inner), post(two.port, "outer"));
    using first = await one.accept();
    const expected =
      `POST / HTTP/1.1\r\nHost: 127.0.0.1:${one.port}\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`;
    assertEquals(decoder.decode(await first.read(expected.length)), expected);
    assertEquals(two.open, 0);
    await first.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    using second = await two.accept();
    const next = `POST / HTTP/1.1\r\nHost: 127.0.0.1:${two.port}\r\nContent-Length: 5\r\n\r\nouter`;
    assertEquals(decoder.decode(await second.read(next.length)), next);
  });

  test("a client that does not read slows the origin, and costs no memory", async ({ server }) => {
    using target = await Target.listen();
    using wire = await Wire.connect(server);
    await wire.send(`GET http://127.0.0.1:${target.port}/ HTTP/1.1\r\nHost: x\r\n\r\n`);
    using origin = await target.accept();
    await origin.send("HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n");
    const before = server.rssKiB();
    let written = 0;
    const block = new Uint8Array(1 << 20);
    const writing = (async () => {
      for (; written < 1 << 30; written += block.length) await origin.write(block);
    })().catch(() => {});
    let last = -1;
    await eventually("the origin to be slowed", async () => {
      if (written === last) return true;
      last = written;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return false;
    }, 120_000);
    assert(written < 64 << 20, `the origin wrote ${written} bytes`);
    assert(server.rssKiB() - before < 64 * 1024, "memory grew with the answer");
    wire.reset();
    await writing;
  });
});
