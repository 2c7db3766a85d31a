import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { MemoryCounters } from "../../src/policy/memory_counters.ts";

test("events are within a rate as often as it says, and again when its time is over", () => {
  let now = 5000;
  const counters = new MemoryCounters({ now: () => now });
  const rate = { count: 2, per: 1000 };
  const hits = (times: number) => Array.from({ length: times }, () => counters.hit("office:ada", rate));
  assertEquals(hits(4), [true, true, false, false]);
  assertEquals(counters.hit("office:bob", rate), true);
  now = 5999;
  assertEquals(hits(1), [false]);
  now = 6000;
  assertEquals(hits(3), [true, true, false]);
});

test("a total of a month is kept for a month", () => {
  let now = 0;
  const counters = new MemoryCounters({ now: () => now });
  const month = 31 * 86_400_000;
  counters.add("office:ada:month", 1000, month);
  now = month - 1;
  assertEquals(counters.add("office:ada:month", 24, month), 1024);
  now = month;
  assertEquals(counters.get("office:ada:month"), 0);
});

test("a key can be forgotten", () => {
  const counters = new MemoryCounters();
  counters.add("a:b", 3, Date.now() + 1e6);
  counters.delete("a:b");
  counters.delete("never:there");
  assertEquals(counters.get("a:b"), 0);
});

test("many addresses in one limit do not push out what another counts", () => {
  const counters = new MemoryCounters({ maxKeys: 100, now: () => 0 });
  counters.add("quota:ada:month", 5, 1000);
  for (let i = 0; i < 10_000; i++) counters.hit(`rate:10.0.${i >> 8}.${i & 255}`, { count: 1, per: 1000 });
  assertEquals(counters.size, 101);
  assertEquals(counters.get("quota:ada:month"), 5);
  assertEquals(counters.get("rate:10.0.39.15"), 1); // the last one
});

test("keys that begin in any number of ways are bounded", () => {
  const counters = new MemoryCounters({ maxKeys: 10, now: () => 0 });
  for (let i = 0; i < 50_000; i++) counters.add(`${i}:x`, 1, 1000);
  assertEquals(counters.size, 1010);
  for (let i = 0; i < 50_000; i++) counters.add(`${i}`, 1, 1000);
  assertEquals(counters.size, 1010);
});
