import { descendants, parseStat } from "./process_tree.ts";
import { assertEquals } from "@std/assert";
import { test } from "node:test";

test("a process's stat is read past a name with parentheses", () => {
  const text =
    "42 (a) S 1 (b) S 7 42 42 0 -1 4194560 100 0 0 0 150 50 25 75 20 0 3 0 9000 1000 10 18446744073709551615 0";
  assertEquals(parseStat(text), { pid: 42, parent: 7, started: 9000, cpu: 3 });
});

test("what is no stat is not taken for one", () => {
  assertEquals(parseStat(""), undefined);
  assertEquals(parseStat("42 (name) S 1"), undefined);
});

test("a tree holds its roots and what descends from them, in any order", () => {
  const process = (pid: number, parent: number) => ({ pid, parent, started: 0, cpu: 0 });
  const all = [process(30, 20), process(20, 10), process(10, 1), process(99, 1), process(11, 1)];
  assertEquals(descendants(all, [10, 11]).map(({ pid }) => pid).sort(), [10, 11, 20, 30]);
});
