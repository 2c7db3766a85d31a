import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { PasswordCache, sameBytes } from "../../src/auth/password_cache.ts";

const encode = (text: string) => new TextEncoder().encode(text);

test("a password that was right is remembered, of its user and no other", async () => {
  const cache = new PasswordCache({ now: () => 0 });
  assertEquals(cache.has(encode("ada"), encode("lovelace")), false);
  await cache.add(encode("ada"), encode("lovelace"));
  assertEquals(cache.has(encode("ada"), encode("lovelace")), true);
  for (
    const [name, password] of [["ada", "lovelac"], ["ada", ""], ["alan", "lovelace"], ["adal", "ovelace"], ["", ""]]
  ) {
    assertEquals(cache.has(encode(name!), encode(password!)), false, `${name} ${password}`);
  }
  assertEquals(cache.has(encode("ada"), encode("lovelace")), true);
});

test("a user's new password takes the place of the old one", async () => {
  const cache = new PasswordCache({ now: () => 0 });
  await cache.add(encode("ada"), encode("old"));
  await cache.add(encode("ada"), encode("new"));
  assertEquals(cache.has(encode("ada"), encode("old")), false);
  assertEquals(cache.has(encode("ada"), encode("new")), true);
  assertEquals(cache.size, 1);
});

test("it forgets after its time, however often it is asked", async () => {
  let now = 0;
  const cache = new PasswordCache({ life: 100, now: () => now });
  await cache.add(encode("ada"), encode("lovelace"));
  for (now of [50, 99]) assertEquals(cache.has(encode("ada"), encode("lovelace")), true);
  now = 100;
  assertEquals(cache.has(encode("ada"), encode("lovelace")), false);
  assertEquals(cache.size, 0);
});

test("it is bounded, and forgets who logged in longest ago", async () => {
  const cache = new PasswordCache({ size: 2, now: () => 0 });
  await cache.add(encode("a"), encode("1"));
  await cache.add(encode("b"), encode("2"));
  assertEquals(cache.has(encode("a"), encode("1")), true);
  await cache.add(encode("c"), encode("3"));
  assertEquals(cache.size, 2);
  assertEquals(["a", "b", "c"].map((name, i) => cache.has(encode(name), encode(`${i + 1}`))), [true, false, true]);
});

test("with no time or no room it remembers nothing", async () => {
  for (const options of [{ life: 0 }, { size: 0 }]) {
    const cache = new PasswordCache({ ...options, now: () => 0 });
    await cache.add(encode("ada"), encode("lovelace"));
    assertEquals(cache.has(encode("ada"), encode("lovelace")), false);
    assertEquals(cache.size, 0);
  }
});

test("bytes are the same if every one is, and so is their number", () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);
  assertEquals(sameBytes(bytes(), bytes()), true);
  assertEquals(sameBytes(bytes(1, 2), bytes(1, 2)), true);
  for (const [a, b] of [[[1, 2], [1, 3]], [[1], [1, 0]], [[1, 0], [1]], [[], [0]], [[1, 2], [3, 2]]]) {
    assertEquals(sameBytes(bytes(...a!), bytes(...b!)), false, `${a} ${b}`);
  }
});
