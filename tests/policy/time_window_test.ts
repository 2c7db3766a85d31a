import { assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import type { TimeWindow } from "../../src/policy/rule.ts";
import { CompiledWindow, parseDays, parseHours, parseZone } from "../../src/policy/time_window.ts";
import { ZoneClock } from "../../src/policy/zone_clock.ts";

/** Which of some times, in ISO 8601 without seconds and by UTC unless they say so, are in a window. */
function inside(window: TimeWindow, times: readonly string[]): string[] {
  const compiled = new CompiledWindow({ zone: "UTC", ...window }, (zone) => new ZoneClock(zone));
  return times.filter((time) => compiled.has(Date.parse(/[Z+]/.test(time) ? time : `${time}Z`)));
}

// 2026-11-20 is a Friday.
const FRI = "2026-11-20", SAT = "2026-11-21", SUN = "2026-11-22", MON = "2026-11-23";

test("days are listed, and go from one to another also over the end of the week", () => {
  const days = (text: string) => parseDays(text).map((is) => is ? 1 : 0).join("");
  assertEquals(days("mon-fri"), "1111100");
  assertEquals(days("sat,sun"), "0000011");
  assertEquals(days("fri-mon"), "1000111");
  assertEquals(days("Monday, WED - thursday"), "1011000");
  assertEquals(days("sun"), "0000001");
  for (const text of ["", "mo", "mon-", "mon,,tue", "mon-tue-wed", "everyday", "mond"]) {
    const { message } = assertThrows(() => parseDays(text), RangeError);
    assertEquals(message, `found "${text}", expected days such as "mon-fri" or "sat,sun"`);
  }
});

test("hours are from a minute to before another", () => {
  assertEquals(parseHours("08:00-18:30"), { from: 480, to: 1110 });
  assertEquals(parseHours("22:00 - 6:00"), { from: 1320, to: 360 });
  assertEquals(parseHours("18:00-24:00"), { from: 1080, to: 1440 });
  assertEquals(parseHours("18:00-00:00"), { from: 1080, to: 1440 });
  for (const text of ["", "8-18", "08:00", "24:00-25:00", "08:60-09:00", "08:00-24:01", "08.00-09.00"]) {
    const { message } = assertThrows(() => parseHours(text), RangeError);
    assertEquals(message, `found "${text}", expected hours such as "08:00-18:00" or "22:00-06:00"`);
  }
  const same = 'found "08:00-08:00", expected an end that is not the beginning; the whole day is "00:00-24:00"';
  assertEquals(assertThrows(() => parseHours("08:00-08:00"), RangeError).message, same);
});

test("zones are those of the IANA database", () => {
  assertEquals(parseZone("Europe/Berlin"), "Europe/Berlin");
  for (const zone of ["Mars/Olympus", ""]) {
    const message = `found "${zone}", expected a time zone such as "Europe/Berlin" or "UTC"`;
    assertEquals(assertThrows(() => parseZone(zone), RangeError).message, message);
    assertEquals(assertThrows(() => inside({ zone }, []), RangeError).message, message);
  }
});

test("a window holds its hours on its days", () => {
  const times = [`${FRI}T07:59`, `${FRI}T08:00`, `${FRI}T17:59`, `${FRI}T18:00`, `${SAT}T12:00`];
  assertEquals(inside({ days: "mon-fri", hours: "08:00-18:00" }, times), times.slice(1, 3));
  assertEquals(inside({ days: "sat" }, times), times.slice(4));
  assertEquals(inside({ hours: "08:00-18:00" }, times), [...times.slice(1, 3), ...times.slice(4)]);
  assertEquals(inside({}, times), times);
});

test("hours over midnight belong to the day that they begin on", () => {
  const before = [`${FRI}T05:59`, `${FRI}T21:59`];
  const during = [`${FRI}T22:00`, `${SAT}T00:00`, `${SAT}T05:59`];
  const after = [`${SAT}T06:00`, `${SAT}T22:00`, `${SUN}T05:00`];
  assertEquals(inside({ days: "fri", hours: "22:00-06:00" }, [...before, ...during, ...after]), during);
  assertEquals(inside({ days: "sun", hours: "22:00-06:00" }, [`${MON}T03:00`, `${SUN}T03:00`]), [`${MON}T03:00`]);
});

test("hours are those of the zone, in winter and in summer", () => {
  const window = { days: "mon-fri", hours: "08:00-09:00", zone: "Europe/Berlin" };
  assertEquals(inside(window, ["2026-01-16T07:00", "2026-01-16T06:59", "2026-01-16T08:00"]), ["2026-01-16T07:00"]);
  assertEquals(inside(window, ["2026-07-17T06:00", "2026-07-17T05:59", "2026-07-17T07:00"]), ["2026-07-17T06:00"]);
  // It is Saturday in Auckland while it is Friday in London.
  assertEquals(inside({ days: "sat", zone: "Pacific/Auckland" }, [`${FRI}T12:00`]), [`${FRI}T12:00`]);
  assertEquals(inside({ hours: "05:30-05:31", zone: "Asia/Kolkata" }, [`${FRI}T00:00`]), [`${FRI}T00:00`]);
});

test("an hour that the clocks leave out is in no window, and one that they repeat counts twice", () => {
  const window = { hours: "02:00-03:00", zone: "Europe/Berlin" };
  const spring = ["2026-03-29T00:59", "2026-03-29T01:00", "2026-03-29T01:59"];
  assertEquals(inside(window, spring), []);
  const autumn = ["2026-10-24T23:59", "2026-10-25T00:00", "2026-10-25T00:59", "2026-10-25T01:00", "2026-10-25T01:59"];
  assertEquals(inside(window, [...autumn, "2026-10-25T02:00"]), autumn.slice(1));
});

test("a clock goes forward, and back", () => {
  const clock = new ZoneClock("UTC");
  const at = (time: string) => clock.at(Date.parse(time));
  assertEquals(at(`${FRI}T10:00:59Z`), { day: 4, minute: 600 });
  assertEquals(at(`${FRI}T10:01:00Z`), { day: 4, minute: 601 });
  assertEquals(at(`${FRI}T10:00:00Z`), { day: 4, minute: 600 });
  assertEquals(at(`${SUN}T00:00:00Z`), { day: 6, minute: 0 });
});
