import { ratios, spread } from "./ratios.ts";
import { assertEquals } from "@std/assert";
import { test } from "node:test";

test("a spread is the median and the range of the figures that are there", () => {
  assertEquals(spread([3, undefined, 1, NaN, 10]), { median: 3, least: 1, most: 10 });
  assertEquals(spread([1, 2]), { median: 1.5, least: 1, most: 2 });
  assertEquals(spread([undefined]), undefined);
});

test("a ratio is taken within a round", () => {
  assertEquals(ratios([1, 10, 2], [2, 40, 6]), { median: 3, least: 2, most: 4 });
});

test("a round without both figures has no ratio", () => {
  assertEquals(ratios([1, undefined, 0, 4], [2, 4, 5]), { median: 2, least: 2, most: 2 });
  assertEquals(ratios([-1], [2]), undefined);
});
