import { assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import type { SavedCount } from "../../src/policy/count_table.ts";
import { formatCounts, parseCounts } from "../../src/policy/saved_counts.ts";

const EXPECTED = 'expected {"format":"socks-counts-1","counts":[["KEY",COUNT,TIME],…]}';

test("counts are read as they were written", () => {
  const counts: SavedCount[] = [["office:ada:month-2026-11-01", 12_345_678_901, 1_798_761_600_000], [
    "__proto__",
    1,
    2,
  ]];
  assertEquals(parseCounts(formatCounts(counts)), counts);
  assertEquals(parseCounts(formatCounts([])), []);
  assertEquals(
    formatCounts([["a", 1, 2], ["b", 3, 4]]),
    '{"format":"socks-counts-1","counts":[\n["a",1,2],\n["b",3,4]\n]}\n',
  );
});

test("what is not counts is refused, with what it is", () => {
  const cases: [text: string, found: string][] = [
    ["", "nothing"],
    [" \n", "nothing"],
    ['{"format":"socks-counts-1","counts":[\n["a",1', "44 characters that are not JSON"],
    ["null", "null"],
    ['"text"', '"text"'],
    ["[]", "JSON without a format"],
    ['{"counts":[]}', "JSON without a format"],
    ['{"format":"socks-counts-2"}', 'format "socks-counts-2"'],
    ['{"format":"socks-counts-1"}', "counts nothing"],
    ['{"format":"socks-counts-1","counts":[["a",1]]}', 'count ["a",1]'],
    ['{"format":"socks-counts-1","counts":[["a",1.5,2]]}', 'count ["a",1.5,2]'],
    ['{"format":"socks-counts-1","counts":[["a",1,null]]}', 'count ["a",1,null]'],
    ['{"format":"socks-counts-1","counts":[[7,1,2]]}', "count [7,1,2]"],
  ];
  for (const [text, found] of cases) {
    assertEquals(assertThrows(() => parseCounts(text), RangeError).message, `found ${found}, ${EXPECTED}`);
  }
});
