/** Connections: what every runtime's must do. */

import { assert, assertEquals } from "@std/assert";
import { describe, test } from "node:test";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import {
  accept,
  assertEnd,
  assertNetError,
  bytesOf,
  inTime,
  listen,
  nobody,
  readExactly,
  readPattern,
  sendPattern,
  textOf,
  turns,
  until,
  withPair,
  writeUntilPending,
} from "./_support.ts";
import { ownLoopback } from "./_own_loopback.ts";

export function connectionSuite(runtime: Runtime): void {
  describe(`${runtime.name}: a connection`, () => {
    test("echoes", () =>
      withPair(runtime, async ({ client, server }) => {
        const [here, there] = [duplexOf(client), duplexOf(server)];
        await here.write(bytesOf("ping"));
        assertEquals(textOf(await readExactly(there, 4)), "ping");
        await there.write(bytesOf("pong"));
        assertEquals(textOf(await readExactly(here, 4)), "pong");
      }));

    test("knows both its ends, also after it closed", () =>
      withPair(runtime, async ({ client, server }) => {
        client.close();
        server.close();
        await inTime(Promise.all([client.closed, server.closed]), "closed");
        assertEquals(client.remote?.ip, "127.0.0.1");
        assertEquals(client.remote, server.local);
        assertEquals(client.local, server.remote);
        assert(client.local!.port > 0);
      }));

    test("carries 8 MiB each way at once, byte for byte", () =>
      withPair(runtime, async ({ client, server }) => {
        const total = 8 << 20;
        const [here, there] = [duplexOf(client), duplexOf(server)];
        const send = async (end: typeof here): Promise<void> => {
          await sendPattern(end, total);
          end.closeWrite();
        };
        const [, , up, down] = await Promise.all([send(here), send(there), readPattern(there), readPattern(here)]);
        assertEquals([up, down], [total, total]);
        await inTime(Promise.all([client.closed, server.closed]), "closed");
      }));

    test("carries on after the client's half-close", () =>
      withPair(runtime, async ({ client, server }) => {
        const [here, there] = [duplexOf(client), duplexOf(server)];
        await here.write(bytesOf("question"));
        here.closeWrite();
        assertEquals(textOf(await readExactly(there, 8)), "question");
        await assertEnd(there);
        await assertEnd(there);
        await Promise.all([sendPattern(there, 1 << 20).then(() => there.closeWrite()), readPattern(here)]);
        await inTime(Promise.all([client.closed, server.closed]), "closed");
      }));

    test("carries on after the server's half-close", () =>
      withPair(runtime, async ({ client, server }) => {
        const [here, there] = [duplexOf(client), duplexOf(server)];
        there.closeWrite();
        await assertEnd(here);
        const sent = sendPattern(here, 1 << 20).then(() => here.closeWrite());
        assertEquals(await readPattern(there), 1 << 20);
        await sent;
        await inTime(Promise.all([client.closed, server.closed]), "closed");
      }));

    test("sends what is pending before it half-closes", () =>
      withPair(runtime, async ({ client, server }) => {
        const [here, there] = [duplexOf(client), duplexOf(server)];
        const { pending, written } = await writeUntilPending(here);
        here.closeWrite();
        assertEquals(await readPattern(there), written);
        await inTime(pending, "the write");
      }));

    test("sends what is pending before it closes in good order", () =>
      withPair(runtime, async ({ client, server }) => {
        const [here, there] = [duplexOf(client), duplexOf(server)];
        const { pending, written } = await writeUntilPending(here);
        here.close();
        await assertNetError(pending, "closed");
        assertEquals(await readPattern(there), written);
      }));

    test("delivers a reply that was written just before it closed", () =>
      withPair(runtime, async ({ client, server }) => {
        const there = duplexOf(server);
        there.write(bytesOf("no"));
        server.close();
        assertEquals(textOf(await readExactly(duplexOf(client), 2)), "no");
        await assertEnd(duplexOf(client));
      }));

    test("closed with an error, its peer reads a reset", () =>
      withPair(runtime, async ({ client, server }) => {
        server.close(new Error("enough"));
        await assertNetError(duplexOf(client).read(), "reset");
        await assertNetError(duplexOf(client).read(), "reset");
        await inTime(Promise.all([client.closed, server.closed]), "closed");
        await assertNetError(duplexOf(client).write(bytesOf("late")), "reset", "closed");
      }));

    for (const isPaused of [false, true]) {
      test(`a reset that a write${isPaused ? " to a paused socket" : ""} comes across first is a reset`, () =>
        withPair(runtime, async ({ client, server }) => {
          const [here, there] = [duplexOf(server), duplexOf(client)];
          if (isPaused) {
            await there.write(bytesOf("read ahead"));
            await turns();
          }
          there.close(new Error("enough"));
          const write = async () => {
            for (;;) {
              await here.write(bytesOf("late"));
              await turns(1);
            }
          };
          await assertNetError(write(), "reset");
          if (!isPaused) await assertNetError(here.read(), "reset");
          await inTime(server.closed, "closed");
        }));
    }

    test("a pending write ends with the peer's reset", () =>
      withPair(runtime, async ({ client, server }) => {
        const { pending } = await writeUntilPending(duplexOf(client));
        server.close(new Error("enough"));
        await assertNetError(pending, "reset");
      }));

    test("closing ends a pending read, write and whatever comes after", () =>
      withPair(runtime, async ({ client }) => {
        const here = duplexOf(client);
        const { pending } = await writeUntilPending(here);
        const reading = here.read();
        client.close(new Error("enough"));
        client.close();
        client.close(new Error("again"));
        await assertNetError(reading, "unknown");
        await assertNetError(pending, "unknown");
        await inTime(client.closed, "closed");
        await assertNetError(here.read(), "unknown");
        await assertNetError(here.write(bytesOf("late")), "unknown");
        here.closeWrite();
      }));

    test("refuses to write after its half-close", () =>
      withPair(runtime, async ({ client }) => {
        const here = duplexOf(client);
        here.closeWrite();
        here.closeWrite();
        await assertNetError(here.write(bytesOf("late")), "closed");
      }));

    test("holds a writer back whose reader stalls", () =>
      withPair(runtime, async ({ client, server }) => {
        const [here, there] = [duplexOf(client), duplexOf(server)];
        const { pending, written } = await writeUntilPending(here);
        assert(written <= 64 << 20, `${written} bytes went into the buffers`);
        here.closeWrite();
        assertEquals(await readPattern(there, () => turns(1)), written);
        await inTime(pending, "the write");
      }));

    test("does not read for a reader who asks for nothing", () =>
      withPair(runtime, async ({ client, server }) => {
        const [here, there] = [duplexOf(client), duplexOf(server)];
        await here.write(bytesOf("first"));
        assertEquals(textOf(await readExactly(there, 5)), "first");
        const { pending, written } = await writeUntilPending(here);
        pending.catch(() => {});
        assert(written <= 64 << 20);
      }));

    test("gives bytes first that it was given back, then what came meanwhile, then the end", () =>
      withPair(runtime, async ({ client, server }) => {
        const [here, there] = [duplexOf(client), duplexOf(server)];
        await here.write(bytesOf("abcd"));
        const read = await readExactly(there, 4);
        await here.write(bytesOf("ef"));
        here.closeWrite();
        await turns();
        there.giveBack!(read.subarray(2));
        read.fill(0);
        assertEquals(textOf(await readExactly(there, 4)), "cdef");
        await assertEnd(there);
      }));

    test("works through its streams", () =>
      withPair(runtime, async ({ client, server }) => {
        const echo = server.readable.pipeTo(server.writable);
        const writer = client.writable.getWriter();
        const written = (async () => {
          for (let i = 0; i < 64; i++) await writer.write(new Uint8Array(20_000).fill(i));
          await writer.close();
        })();
        let total = 0;
        for (const reader = client.readable.getReader();;) {
          const { done, value } = await inTime(reader.read(), "bytes");
          if (done) break;
          for (let i = 0; i < value.length; i++) {
            if (value[i] !== Math.floor((total + i) / 20_000)) throw new Error("Bytes differ");
          }
          total += value.length;
        }
        assertEquals(total, 64 * 20_000);
        await inTime(Promise.all([echo, written, client.closed, server.closed]), "both streams to end");
      }));

    test("aborting its writable resets", () =>
      withPair(runtime, async ({ client, server }) => {
        await client.writable.abort("enough");
        await assertNetError(server.readable.getReader().read(), "reset");
      }));

    test("has ended when its readable was cancelled and its writable closed", () =>
      withPair(runtime, async ({ client, server }) => {
        await client.readable.cancel();
        await client.writable.close();
        await inTime(client.closed, "closed");
        await assertEnd(duplexOf(server));
      }));
  });

  describe(`${runtime.name}: connecting`, () => {
    test("is refused where nobody listens", async () => {
      await assertNetError(runtime.connect(await nobody(runtime)), "refused");
    });

    test("stops when its signal aborts", async () => {
      const { listener, at } = await listen(runtime);
      const early = AbortSignal.abort();
      await assertNetError(runtime.connect(at, { signal: early }), "aborted");
      const controller = new AbortController();
      const connecting = runtime.connect(at, { signal: controller.signal });
      controller.abort();
      await assertNetError(connecting, "aborted");
      listener.close();
    });

    test("leaves from the address it is told to", async () => {
      const { listener, at } = await listen(runtime);
      const [client, server] = await Promise.all([runtime.connect(at, { localIp: "127.0.0.9" }), accept(listener)]);
      assertEquals([client.local?.ip, server.remote?.ip], ["127.0.0.9", "127.0.0.9"]);
      client.close();
      server.close();
      listener.close();
      await inTime(Promise.all([client.closed, server.closed]), "closed");
    });

    test("works over IPv6", async () => {
      const { listener, at } = await listen(runtime, "::1");
      assertEquals(at.ip, "::1");
      const [client, server] = await Promise.all([runtime.connect(at), accept(listener)]);
      assertEquals([client.remote, server.remote?.ip], [at, "::1"]);
      client.close();
      server.close();
      listener.close();
      await inTime(Promise.all([client.closed, server.closed]), "closed");
    });
  });

  describe(`${runtime.name}: a listener`, () => {
    test("says when its address is in use", async () => {
      const { listener, at } = await listen(runtime);
      await assertNetError(runtime.listen({ address: at }), "address-in-use");
      listener.close();
    });

    test("ends its iteration and drops who waits when it closes", async () => {
      const { listener, at } = await listen(runtime, ownLoopback());
      const iterator = listener[Symbol.asyncIterator]();
      const first = iterator.next();
      const client = await runtime.connect(at);
      const { value: server } = await inTime(first, "a connection");
      const waiting = await runtime.connect(at);
      await turns();
      const next = iterator.next(); // takes it or waits, as the runtime accepted it or not
      listener.close();
      listener.close();
      const late = await inTime(next, "the end of the iteration");
      if (!late.done) late.value.close();
      assert((await inTime(iterator.next(), "the end of the iteration")).done);
      // Nobody serves it any more, but who was taken is served on.
      await inTime(Promise.race([duplexOf(waiting).read(), waiting.closed]).catch(() => {}), "the end of who waits");
      await duplexOf(client).write(bytesOf("still"));
      assertEquals(textOf(await readExactly(duplexOf(server), 5)), "still");
      await assertNetError(runtime.connect(at), "refused");
      for (const connection of [client, server, waiting]) connection.close();
      await inTime(Promise.all([client.closed, server.closed, waiting.closed]), "closed");
    });

    test("keeps connections that nobody has taken yet", async () => {
      const { listener, at } = await listen(runtime);
      const clients = await Promise.all(Array.from({ length: 10 }, () => runtime.connect(at)));
      clients.forEach((client, i) => duplexOf(client).write(Uint8Array.of(i)));
      await turns();
      const seen = new Set<number>();
      for (let i = 0; i < 10; i++) {
        const server = await accept(listener);
        seen.add((await readExactly(duplexOf(server), 1))[0]!);
        server.close();
      }
      assertEquals(seen.size, 10);
      for (const client of clients) client.close();
      await inTime(Promise.all(clients.map(({ closed }) => closed)), "closed");
      listener.close();
      await until(() => true, "nothing");
    });
  });
}
