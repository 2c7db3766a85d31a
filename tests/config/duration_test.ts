import { test } from "node:test";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { formatDuration, LONGEST_DURATION, parseDuration } from "../../src/config/duration.ts";

test("a duration is a number of seconds, or a number and a unit", () => {
  const cases: [number | string, number][] = [
    [3, 3_000],
    [0.5, 500],
    ["3", 3_000],
    ["3s", 3_000],
    ["2m", 120_000],
    ["1.5h", 5_400_000],
    ["500ms", 500],
    [0, 0],
    ["0", 0],
    ["0ms", 0],
    ["576h", LONGEST_DURATION],
  ];
  for (const [written, expected] of cases) assertEquals(parseDuration(written), expected, `${written}`);
});

test("what is not a duration is undefined", () => {
  const wrong = ["", " ", "3x", "s", "-1", "+1", "1e3", "1.", ".5", "3 s", "3S", "1d", "NaN", "Infinity", "3s4", "٣"];
  for (const text of wrong) assertEquals(parseDuration(text), undefined, text);
  for (const number of [-1, NaN, Infinity, 1e21, 1e-9]) assertEquals(parseDuration(number), undefined, `${number}`);
});

test("a duration too long for a timer is not taken, nor one so short that it would become no limit", () => {
  assertEquals(parseDuration("577h"), undefined);
  assertEquals(parseDuration(LONGEST_DURATION / 1000 + 1), undefined);
  assertEquals(parseDuration("0.1ms"), undefined);
  assertEquals(parseDuration(0.0001), undefined);
});

test("a duration is written in its largest whole unit", () => {
  assertEquals([0, 30_000, 120_000, 7_200_000, 1_500].map(formatDuration), ["0", "30s", "2m", "2h", "1500ms"]);
});

test("what is written reads back as the same duration", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: LONGEST_DURATION }), (duration) => {
      assertEquals(parseDuration(formatDuration(duration)), duration);
    }),
  );
});

test("no text gives anything but undefined or a whole number in range", () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{0,20}(ms|s|m|h)?$/));
  fc.assert(
    fc.property(text, (text) => {
      const duration = parseDuration(text);
      return duration === undefined || (Number.isInteger(duration) && duration >= 0 && duration <= LONGEST_DURATION);
    }),
  );
});
