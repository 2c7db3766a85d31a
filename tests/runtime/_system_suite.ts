/** What only a runtime with a real system beneath it has: UNIX sockets, names, descriptors, UDP. */

import { assert, assertEquals } from "@std/assert";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { assertNetError, inTime, until, withPair } from "./_support.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import { bytesOf, readExactly, textOf, withRelay } from "./_support.ts";

export function systemSuite(runtime: Runtime): void {
  describe(`${runtime.name}: a UNIX listener`, () => {
    test("replaces a stale file, refuses a live one and leaves no file", () =>
      inFolder(async (folder) => {
        const path = join(folder, "socks.sock");
        const listener = await runtime.listen({ address: { path } });
        assertEquals(listener.address, { path });
        await assertNetError(runtime.listen({ address: { path } }), "address-in-use");
        assert(existsSync(path));
        listener.close();
        await until(() => !existsSync(path), "the file to go");

        await leaveStale(path);
        assert(existsSync(path));
        const again = await runtime.listen({ address: { path } });
        again.close();
        await until(() => !existsSync(path), "the file to go");
      }));

    test("does not remove what is no socket", () =>
      inFolder(async (folder) => {
        const path = join(folder, "precious");
        writeFileSync(path, "text");
        await assertNetError(runtime.listen({ address: { path } }), "address-in-use");
        assert(existsSync(path));
      }));

    test("accepts connections without addresses", () =>
      inFolder(async (folder) => {
        const path = join(folder, "socks.sock");
        const listener = await runtime.listen({ address: { path } });
        const { connect } = await import("node:net");
        const client = connect({ path });
        client.on("error", () => {}); // the reset at the end
        client.write("hello");
        const { value: server } = await inTime(listener[Symbol.asyncIterator]().next(), "a connection");
        assertEquals([server.local, server.remote], [undefined, undefined]);
        assertEquals(textOf(await readExactly(duplexOf(server), 5)), "hello");
        await duplexOf(server).write(bytesOf("welcome"));
        const answer = await inTime(new Promise((resolve) => client.once("data", resolve)), "an answer");
        assertEquals(String(answer), "welcome");
        server.close(new Error("enough"));
        await inTime(server.closed, "closed");
        client.destroy();
        listener.close();
      }));
  });

  describe(`${runtime.name}: names and addresses`, () => {
    test("localhost is this machine", async () => {
      const found = await runtime.lookup("localhost");
      assert(found.length > 0 && found.every((ip) => ip === "127.0.0.1" || ip === "::1"), found.join());
    });

    test("a name that does not exist is not found", async () => {
      await assertNetError(runtime.lookup("does-not-exist.invalid"), "name-not-found", "lookup-failed");
    });

    test("a lookup stops when its signal aborts", async () => {
      await assertNetError(runtime.lookup("localhost", { signal: AbortSignal.abort() }), "aborted");
      const controller = new AbortController();
      const looking = runtime.lookup("does-not-exist.invalid", { signal: controller.signal });
      controller.abort();
      await assertNetError(looking, "aborted");
    });

    test("the interfaces include the loopback", () => {
      assert(runtime.interfaces().includes("127.0.0.1"));
    });

    test("an address that is not this machine's cannot be listened on", async () => {
      await assertNetError(runtime.listen({ address: { ip: "192.0.2.77", port: 0 } }), "address-not-available");
    });
  });

  if (existsSync("/proc/self/fd")) {
    test(`${runtime.name}: no descriptor is left over`, async () => {
      const round = async (): Promise<void> => {
        await withPair(runtime, () => Promise.resolve());
        await withRelay(runtime, async ({ client, target, inner, outer }) => {
          const meter = { sent: 0, received: 0, relayed: () => {} };
          runtime.relay!({ client: inner, target: outer, early: new Uint8Array(0), meter });
          await client.write(bytesOf("x"));
          await readExactly(target, 1);
        });
        const controller = new AbortController();
        const connecting = runtime.connect({ ip: "127.0.0.1", port: 1 }, { signal: controller.signal });
        controller.abort();
        await assertNetError(connecting, "aborted");
        await assertNetError(runtime.connect({ ip: "127.0.0.1", port: 1 }), "refused", "permission-denied");
      };
      await round();
      const before = descriptors();
      for (let i = 0; i < 20; i++) await round();
      await until(() => descriptors() <= before, `${before} descriptors again`);
    });
  }
}

function descriptors(): number {
  return readdirSync("/proc/self/fd").length;
}

async function inFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "socks-"));
  try {
    await test(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A socket file with nobody behind it: made under one name, moved before its maker removes it. */
async function leaveStale(path: string): Promise<void> {
  const { renameSync } = await import("node:fs");
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.0`, () => resolve()));
  renameSync(`${path}.0`, path);
  await new Promise<void>((resolve) => server.close(() => resolve()));
}
