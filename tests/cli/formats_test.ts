import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatByteCount } from "../../src/cli/byte_count.ts";
import { formatElapsed } from "../../src/cli/elapsed.ts";

test("bytes are counted in the unit that fits", () => {
  const cases: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1.0 KiB"],
    [1229, "1.2 KiB"],
    [10_188, "9.9 KiB"],
    [10_189, "10 KiB"],
    [49_152, "48 KiB"],
    [1024 * 1023.4, "1023 KiB"],
    [1024 * 1023.6, "1.0 MiB"],
    [5 * 1024 ** 3, "5.0 GiB"],
    [1024 ** 6, "1024 PiB"],
  ];
  for (const [bytes, expected] of cases) assertEquals(formatByteCount(bytes), expected);
});

test("no number of bytes shows more than four digits of its unit", () => {
  fc.assert(
    fc.property(
      fc.maxSafeInteger().map(Math.abs),
      (bytes) => assert(/^(\d{1,4}|\d\.\d) ([KMGTP]i)?B$/.test(formatByteCount(bytes))),
    ),
  );
});

test("times are told in the units that fit", () => {
  const cases: [number, string][] = [
    [0, "0 ms"],
    [0.4, "0 ms"],
    [999.4, "999 ms"],
    [999.6, "1.0 s"],
    [3_100, "3.1 s"],
    [9_960, "10 s"],
    [59_400, "59 s"],
    [59_600, "1 min 0 s"],
    [125_000, "2 min 5 s"],
    [3_599_600, "1 h 0 min"],
    [12_000_000, "3 h 20 min"],
  ];
  for (const [duration, expected] of cases) assertEquals(formatElapsed(duration), expected);
});
