import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import { connectionPair } from "../../src/runtime/memory.ts";
import type { Connection, Duplex } from "../../src/runtime/runtime.ts";
import { giveBack } from "../../src/stream/give_back.ts";
import { assertEnd, bytesOf, inTime, readExactly, textOf } from "../runtime/_support.ts";

/** A connection that takes no bytes back. */
function forgetful(connection: Connection & Duplex): Connection & Duplex {
  return new Proxy(connection, {
    get(target, name) {
      if (name === "giveBack") return undefined;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

test("a connection that takes bytes back is given them itself", async () => {
  const [here, there] = connectionPair();
  await there.write(bytesOf(" world"));
  assert(giveBack(here, bytesOf("hello")) === here);
  assertEquals(textOf(await readExactly(here, 11)), "hello world");
});

test("nothing to give back changes nothing", () => {
  const [here] = connectionPair();
  const bare = forgetful(here);
  assert(giveBack(bare, new Uint8Array()) === bare);
});

test("a connection that takes nothing back is put behind the bytes, with both directions and its end", async () => {
  const [here, there] = connectionPair();
  const bytes = bytesOf("hello");
  const behind = giveBack(forgetful(here), bytes);
  bytes.fill(0);
  assertEquals(behind.remote, here.remote);
  await there.write(bytesOf(" world"));
  assertEquals(textOf(await readExactly(behind, 11)), "hello world");
  await behind.write(bytesOf("back"));
  assertEquals(textOf(await readExactly(there, 4)), "back");
  behind.closeWrite();
  await assertEnd(there);
  there.closeWrite();
  await assertEnd(behind);
  behind.close();
  await inTime(Promise.all([behind.closed, there.closed]), "closed");
});
