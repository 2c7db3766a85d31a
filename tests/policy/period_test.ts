import { assert, assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import fc from "fast-check";
import { type Quota, QUOTA_PERIODS } from "../../src/policy/limit.ts";
import { periodOf } from "../../src/policy/period.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The period of a quota at a moment: its start, its end and its key. */
function period(quota: Omit<Quota, "bytes">, at: string): [start: string, end: string, key: string] {
  const { start, end, key } = periodOf({ bytes: 1, ...quota }, Date.parse(at));
  const text = (time: number) => new Date(time).toISOString().replace(":00.000Z", "Z");
  return [text(start), text(end), key];
}

test("days, weeks and months start at midnight of the time zone", () => {
  const zone = "Europe/Berlin";
  const at = "2026-11-18T23:30:00Z"; // a Thursday there
  assertEquals(period({ every: "day", zone }, at), ["2026-11-18T23:00Z", "2026-11-19T23:00Z", "day-2026-11-19"]);
  assertEquals(period({ every: "week", zone }, at), ["2026-11-15T23:00Z", "2026-11-22T23:00Z", "week-2026-11-16"]);
  assertEquals(period({ every: "month", zone }, at), ["2026-10-31T23:00Z", "2026-11-30T23:00Z", "month-2026-11-01"]);
  assertEquals(period({ every: "hour", zone }, at), [
    "2026-11-18T23:00Z",
    "2026-11-19T00:00Z",
    "hour-20261118T230000Z",
  ]);
});

test("a week may start on any day, a month too", () => {
  const zone = "UTC";
  const weeks = [1, 2, 3, 4, 5, 6, 7].map((startDay) => period({ every: "week", startDay, zone }, "2026-11-18T12:00Z"));
  assertEquals(weeks.map(([start]) => start.slice(5, 10)), [
    "11-16",
    "11-17",
    "11-18",
    "11-12",
    "11-13",
    "11-14",
    "11-15",
  ]);
  const month = (startDay: number, at: string) =>
    period({ every: "month", startDay, zone }, at).slice(0, 2).map((time) => time.slice(0, 10));
  assertEquals(month(15, "2026-11-14T23:59Z"), ["2026-10-15", "2026-11-15"]);
  assertEquals(month(15, "2026-11-15T00:00Z"), ["2026-11-15", "2026-12-15"]);
  assertEquals(month(15, "2027-01-03T00:00Z"), ["2026-12-15", "2027-01-15"]);
});

test("the 31st is the last day where there are fewer", () => {
  const month = (startDay: number, at: string) =>
    period({ every: "month", startDay, zone: "UTC" }, at).slice(0, 2).map((time) => time.slice(0, 10));
  assertEquals(month(31, "2026-02-10T00:00Z"), ["2026-01-31", "2026-02-28"]);
  assertEquals(month(31, "2026-02-28T00:00Z"), ["2026-02-28", "2026-03-31"]);
  assertEquals(month(31, "2028-02-29T12:00Z"), ["2028-02-29", "2028-03-31"]);
  assertEquals(month(30, "2028-03-01T12:00Z"), ["2028-02-29", "2028-03-30"]);
  assertEquals(month(31, "2026-04-30T12:00Z"), ["2026-04-30", "2026-05-31"]);
});

test("a day on which clocks are set has 23 or 25 hours", () => {
  const hours = (zone: string, at: string) => {
    const { start, end } = periodOf({ bytes: 1, every: "day", zone }, Date.parse(at));
    return (end - start) / HOUR;
  };
  assertEquals(hours("Europe/Berlin", "2026-03-29T12:00Z"), 23);
  assertEquals(hours("Europe/Berlin", "2026-10-25T12:00Z"), 25);
  assertEquals(hours("Australia/Lord_Howe", "2026-04-05T00:00Z"), 24.5);
});

test("where clocks skip midnight the day starts at once after it", () => {
  // Beirut goes from 23:59:59 to 01:00.
  assertEquals(period({ every: "day", zone: "Asia/Beirut" }, "2022-03-27T12:00Z")[0], "2022-03-26T22:00Z");
  // Apia skipped the 30th of December.
  assertEquals(period({ every: "day", zone: "Pacific/Apia" }, "2011-12-30T12:00Z"), [
    "2011-12-30T10:00Z",
    "2011-12-31T10:00Z",
    "day-2011-12-31",
  ]);
});

test("where clocks show midnight twice the day starts with the first", () => {
  // Havana goes from 00:59:59 to 00:00.
  assertEquals(period({ every: "day", zone: "America/Havana" }, "2026-11-01T12:00Z")[0], "2026-11-01T04:00Z");
  // St John's went from 00:00:59 to 23:01 of the day before.
  const zone = "America/St_Johns";
  assertEquals(
    period({ every: "day", zone }, "2010-11-07T02:40Z"),
    period({ every: "day", zone }, "2010-11-07T12:00Z"),
  );
});

test("an hour that clocks repeat is two hours, and half of one is a period of its own", () => {
  const zone = "Europe/Berlin";
  const [first, second] = [
    period({ every: "hour", zone }, "2026-10-25T00:10Z"),
    period({ every: "hour", zone }, "2026-10-25T01:10Z"),
  ];
  assertEquals(first[1], second[0]);
  assert(first[2] !== second[2]);
  const howe = { every: "hour", zone: "Australia/Lord_Howe" } as const; // 02:00 +11 becomes 01:30 +10:30
  assertEquals(period(howe, "2026-04-04T14:45Z").slice(0, 2), ["2026-04-04T14:00Z", "2026-04-04T15:00Z"]);
  assertEquals(period(howe, "2026-04-04T15:10Z").slice(0, 2), ["2026-04-04T15:00Z", "2026-04-04T15:30Z"]);
  assertEquals(period(howe, "2026-04-04T15:30Z").slice(0, 2), ["2026-04-04T15:30Z", "2026-04-04T16:30Z"]);
});

test("without a time zone it is the machine's", () => {
  const { start } = periodOf({ bytes: 1, every: "day" }, Date.now());
  const midnight = new Date(start);
  assertEquals([midnight.getMinutes(), midnight.getSeconds()], [0, 0]);
  assert(Date.now() - start < 26 * HOUR);
});

test("a time zone that does not exist is told", () => {
  const error = assertThrows(() => period({ every: "day", zone: "Mars/Olympus" }, "2026-11-18T12:00Z"), RangeError);
  assertEquals(error.message, 'found "Mars/Olympus", expected a time zone such as "Europe/Berlin" or "UTC"');
});

test("every moment belongs to one period, and periods follow each other", () => {
  const quota = fc.record({
    bytes: fc.constant(1),
    every: fc.constantFrom(...QUOTA_PERIODS),
    startDay: fc.integer({ min: 1, max: 31 }),
    zone: fc.constantFrom(
      "UTC",
      "Europe/Berlin",
      "America/St_Johns",
      "America/Havana",
      "Asia/Beirut",
      "Asia/Kathmandu",
      "Australia/Lord_Howe",
      "Pacific/Apia",
      "Africa/Casablanca",
    ),
  });
  const time = fc.integer({ min: Date.parse("2005-01-01"), max: Date.parse("2035-01-01") });
  const longest = { hour: HOUR, day: 25 * HOUR, week: 7 * DAY + HOUR, month: 31 * DAY + HOUR };
  fc.assert(
    fc.property(quota, time, ({ startDay, ...rest }, now) => {
      const asked: Quota = { ...rest, startDay: rest.every === "week" ? 1 + startDay % 7 : startDay };
      const fresh = (at: number) => periodOf({ ...asked }, at); // nothing remembered
      const { start, end, key } = fresh(now);
      assert(start <= now && now < end, `${start} ${now} ${end}`);
      assert(end - start <= longest[asked.every] + DAY, `${(end - start) / HOUR} hours`);
      assertEquals(fresh(start), { start, end, key });
      assertEquals(fresh(end - 1), { start, end, key });
      const next = fresh(end);
      assertEquals(next.start, end);
      assert(next.key !== key, key);
      assertEquals(fresh(start - 1).end, start);
      assertEquals(periodOf(asked, now), periodOf(asked, end - 1));
    }),
    { numRuns: 150 },
  );
});
