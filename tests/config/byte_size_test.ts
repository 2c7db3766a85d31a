import { test } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatByteSize, parseBandwidth, parseByteSize } from "../../src/config/byte_size.ts";

test("a size is a number of bytes, or a number and a unit", () => {
  const cases: [number | string, number][] = [
    [1, 1],
    ["1500", 1500],
    ["1B", 1],
    ["10kB", 10_000],
    ["10KB", 10_000],
    ["10KiB", 10_240],
    ["1.5 MiB", 1_572_864],
    ["50GB", 50e9],
    ["2tib", 2 * 2 ** 40],
  ];
  for (const [written, bytes] of cases) assertEquals(parseByteSize(written), bytes, String(written));
});

test("a speed is that a second; bits count, too", () => {
  const cases: [number | string, number][] = [
    [1000, 1000],
    ["1000", 1000],
    ["10MiB/s", 10_485_760],
    ["500 kB/s", 500_000],
    ["100Mbit/s", 12_500_000],
    ["1Gbit/s", 125_000_000],
    ["8bit/s", 1],
  ];
  for (const [written, bytes] of cases) assertEquals(parseBandwidth(written), bytes, String(written));
});

test("what is neither is undefined", () => {
  for (
    const written of [0, -1, NaN, Infinity, 2 ** 60, "", "MB", "-1MB", "1e3", "10 M", "10Mbit", "1,5MB", "9999999TiB"]
  ) {
    assertEquals(parseByteSize(written), undefined, String(written));
  }
  for (const written of ["10MiB", "10MiB/m", "/s", "1constructor/s", "1bit/s", "100Mbps", 0]) {
    assertEquals(parseBandwidth(written), undefined, String(written));
  }
});

test("what is written reads back as the same size", () => {
  fc.assert(fc.property(fc.maxSafeInteger().filter((bytes) => bytes > 0 && bytes < 1e15), (bytes) => {
    assertEquals(parseByteSize(formatByteSize(bytes)), bytes);
    assertEquals(parseBandwidth(`${formatByteSize(bytes)}/s`), bytes);
  }));
  assertEquals([10_485_760, 50e9, 1500].map(formatByteSize), ["10MiB", "50GB", "1500B"]);
});
