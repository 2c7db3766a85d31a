import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { formatRate, parseRate } from "../../src/config/rate.ts";

test("a rate is a number of times in a time", () => {
  const cases: [string, { count: number; per: number }][] = [
    ["20/s", { count: 20, per: 1_000 }],
    ["100/m", { count: 100, per: 60_000 }],
    ["1000/h", { count: 1000, per: 3_600_000 }],
    ["5/10s", { count: 5, per: 10_000 }],
    ["1/500ms", { count: 1, per: 500 }],
  ];
  for (const [text, rate] of cases) {
    assertEquals(parseRate(text), rate, text);
    assertEquals(formatRate(rate), text);
  }
});

test("what is none is undefined", () => {
  for (const text of ["", "20", "20/", "/s", "0/s", "1.5/s", "20/0s", "20/d", "-1/s", "20 / s", "20/1.5s"]) {
    assertEquals(parseRate(text), undefined, text);
  }
});
