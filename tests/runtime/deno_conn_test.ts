import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { type DenoConnLike, fromDenoConn } from "../../src/runtime/deno_conn.ts";
import { currentRuntime } from "../../src/runtime/detect.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import { assertEnd, inTime, readPattern, sendPattern } from "./_support.ts";

interface DenoListener extends AsyncIterable<DenoConnLike> {
  readonly addr: { readonly port: number };
  close(): void;
}

const { Deno } = globalThis as {
  Deno?: { listen(options: { hostname: string; port: number }): DenoListener };
};

test("the adapter for Deno's connections loads where there are none", () => {
  assertEquals(typeof fromDenoConn, "function");
});

// Elsewhere there is nothing to skip: no other runtime has such connections.
if (Deno !== undefined) {
  test("a connection of Deno.listen serves, half-closes and ends", async () => {
    const listener = Deno!.listen({ hostname: "127.0.0.1", port: 0 });
    const runtime = await currentRuntime();
    const connecting = runtime.connect({ ip: "127.0.0.1", port: listener.addr.port });
    const { value } = await listener[Symbol.asyncIterator]().next();
    const [client, server] = [duplexOf(await connecting), fromDenoConn(value)];
    assertEquals(server.remote?.ip, "127.0.0.1");
    const sent = sendPattern(client, 2 << 20).then(() => client.closeWrite());
    assertEquals(await readPattern(server), 2 << 20);
    await sent;
    await assertEnd(server);
    const answered = sendPattern(server, 2 << 20).then(() => server.closeWrite());
    assertEquals(await readPattern(client), 2 << 20);
    await answered;
    await inTime(server.closed, "closed");
    await assertEnd(server);
    listener.close();
  });
}

test("what is given back is read first, whatever the next read would have reused", async () => {
  const chunks = [Uint8Array.of(1, 2, 3, 4), Uint8Array.of(9)];
  const address = { transport: "tcp", hostname: "127.0.0.1", port: 1 };
  const connection = duplexOf(fromDenoConn({
    localAddr: address,
    remoteAddr: address,
    read(buffer) {
      const chunk = chunks.shift();
      if (chunk === undefined) return Promise.resolve(null);
      buffer.set(chunk);
      return Promise.resolve(chunk.length);
    },
    write: (bytes) => Promise.resolve(bytes.length),
    closeWrite: () => Promise.resolve(),
    close() {},
  }));
  const read = (await connection.read())!;
  connection.giveBack!(read.subarray(3));
  connection.giveBack!(read.subarray(2, 3));
  assertEquals([...(await connection.read())!], [3, 4]);
  assertEquals([...(await connection.read())!], [9]);
  assertEquals(await connection.read(), null);
});
