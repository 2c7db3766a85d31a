import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { memory } from "../../src/runtime/memory.ts";
import type { WayFacilities } from "../../src/upstream/facilities.ts";
import type { Upstreams } from "../../src/upstream/members_first.ts";
import { isSameWay } from "../../src/upstream/same_way.ts";
import { openWays } from "../../src/upstream/ways.ts";

const facilities: WayFacilities = {
  runtime: memory(),
  lookup: () => Promise.resolve([]),
  dial: () => Promise.reject(new Error("it is a test")),
  dialProxy: () => Promise.reject(new Error("it is a test")),
};
const A = { proxy: "socks5h://a.example" };
const B = { proxy: "socks5h://b.example" };
const UPSTREAMS: Upstreams = {
  a: A,
  b: B,
  pool: { group: ["a", "b", "direct"] },
  outer: { group: ["pool"] },
};

/** Whether what goes by `name` (and its member `by`) is right after these changes. */
function isSame(name: string, by: string | undefined, more: Upstreams, after = name): boolean {
  const before = openWays(UPSTREAMS, { facilities });
  const now = openWays({ ...UPSTREAMS, ...more }, { facilities, previous: before });
  return isSameWay(before.find(name), now.find(after), by);
}

test("a way is the same if it is written as before", () => {
  assertEquals(isSame("a", undefined, {}), true);
  assertEquals(isSame("a", undefined, { a: B }), false);
  assertEquals(isSame("a", undefined, {}, "b"), false);
  assertEquals([isSame("direct", undefined, {}), isSame("direct", undefined, {}, "a")], [true, false]);
  assertEquals([isSame("a", undefined, {}, "direct"), isSame("block", undefined, {})], [false, true]);
});

test("a group is, for what goes by a member that it still has", () => {
  const pool = { group: ["b", "direct"], choose: "random" } as const;
  assertEquals([isSame("pool", "b", { pool }), isSame("pool", "a", { pool })], [true, false]);
  assertEquals([isSame("pool", "direct", { pool }), isSame("pool", "direct", { pool: { group: ["a"] } })], [
    true,
    false,
  ]);
  assertEquals([isSame("pool", "b", { pool, b: A }), isSame("pool", undefined, { pool })], [false, false]);
  assertEquals([isSame("outer", "pool/b", { pool }), isSame("outer", "pool/a", { pool })], [true, false]);
  assertEquals(isSame("pool", "b", {}, "outer"), false);
  assertEquals(isSame("pool", "b", {}, "a"), false);
});
