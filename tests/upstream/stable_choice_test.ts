import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { stableChoice } from "../../src/upstream/stable_choice.ts";

const ITEMS = Array.from({ length: 20 }, (_, n) => `192.0.2.${n}`);
const KEYS = Array.from({ length: 4_000 }, (_, n) => `user ${n}`);

test("a key's item is one of them, and does not depend on their order", () => {
  const [forth, back] = [stableChoice(ITEMS), stableChoice([...ITEMS].reverse())];
  fc.assert(fc.property(fc.string(), (key) => {
    assert(ITEMS.includes(forth(key)));
    assertEquals(forth(key), back(key));
  }));
});

test("what was chosen once is chosen on every machine and in every version", () => {
  const choose = stableChoice(ITEMS);
  assertEquals(["user ada", "user grace", "address 203.0.113.1"].map(choose), [
    "192.0.2.14",
    "192.0.2.11",
    "192.0.2.3",
  ]);
});

test("items have their fair share of keys", () => {
  const counts = new Map<string, number>();
  const choose = stableChoice(ITEMS);
  for (const key of KEYS) counts.set(choose(key), (counts.get(choose(key)) ?? 0) + 1);
  const fair = KEYS.length / ITEMS.length;
  for (const item of ITEMS) {
    const count = counts.get(item) ?? 0;
    assert(count > fair / 2 && count < fair * 2, `${item} has ${count} keys, a fair share is ${fair}`);
  }
});

test("when an item goes, the keys of the others stay where they are", () => {
  const [all, fewer] = [stableChoice(ITEMS), stableChoice(ITEMS.slice(1))];
  for (const key of KEYS) if (all(key) !== ITEMS[0]) assertEquals(fewer(key), all(key));
});
