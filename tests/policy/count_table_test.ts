import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import fc from "fast-check";
import { CountTable } from "../../src/policy/count_table.ts";

test("a count adds up until it is forgotten, and then anew", () => {
  let now = 1000;
  const table = new CountTable(10, () => now);
  assertEquals(table.add("a", 2, 1500), 2);
  assertEquals(table.add("a", 3, 9999), 5);
  assertEquals(table.get("a"), 5);
  now = 1499;
  assertEquals(table.get("a"), 5);
  now = 1500; // what the first addition said
  assertEquals(table.get("a"), 0);
  assertEquals(table.add("a", 1, 2000), 1);
});

test("adding nothing, or to what is over, keeps nothing", () => {
  const table = new CountTable(10, () => 1000);
  assertEquals(table.add("a", 0, 2000), 0);
  assertEquals(table.add("b", 7, 1000), 7);
  assertEquals(table.size, 0);
});

test("over its bound it forgets what was not used for the longest time", () => {
  const table = new CountTable(3, () => 0);
  for (const key of ["a", "b", "c"]) table.add(key, 1, 100);
  table.add("a", 1, 100);
  table.get("b");
  table.add("d", 1, 100);
  assertEquals(["a", "b", "c", "d"].map((key) => table.get(key)), [2, 1, 0, 1]);
  assertEquals(table.size, 3);
});

test("a million keys leave as many as its bound, and expired ones do not pile up", () => {
  let now = 0;
  const table = new CountTable(1000, () => now);
  for (let i = 0; i < 1_000_000; i++) table.add(`key ${i}`, 1, 1e9);
  assertEquals(table.size, 1000);

  const brief = new CountTable(1_000_000, () => now);
  for (; now < 100_000; now++) {
    brief.add(`key ${now}`, 1, now + 10);
    assert(brief.size <= 2100, `${brief.size} counts at ${now}`);
  }
});

test("what it saves is what has not expired", () => {
  let now = 0;
  const table = new CountTable(10, () => now);
  table.add("short", 1, 10);
  table.add("long", 2, 20);
  now = 10;
  assertEquals([...table.saved()], [["long", 2, 20]]);
});

test("it counts as a table without bounds and clean-up does", () => {
  const step = fc.record({
    key: fc.constantFrom("a", "b", "c"),
    amount: fc.nat(5),
    lasts: fc.nat(20),
    wait: fc.nat(8),
    action: fc.constantFrom("add", "get", "delete"),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    let now = 0;
    const table = new CountTable(100, () => now);
    const plain: { key: string; amount: number; until: number }[] = [];
    const valueOf = (key: string) => {
      let value = 0, until = 0;
      for (const one of plain) if (one.key === key && one.until > now) [value, until] = [value + one.amount, one.until];
      return { value, until };
    };
    for (const { key, amount, lasts, wait, action } of steps) {
      now += wait;
      if (action === "delete") {
        table.delete(key);
        for (const one of plain) if (one.key === key) one.until = 0;
      } else if (action === "add") {
        const { value, until } = valueOf(key);
        assertEquals(table.add(key, amount, now + lasts), value + amount);
        if (until > now || amount > 0) plain.push({ key, amount, until: until > now ? until : now + lasts });
      } else assertEquals(table.get(key), valueOf(key).value);
    }
  }));
});
