/**
 * The periods that quotas are for, by the calendar.
 *
 * @module
 */

import type { Quota } from "./limit.ts";
import { ZoneOffset } from "./zone_offset.ts";

/** A period of the calendar. One ends where the next starts. */
export interface Period {
  /** Its first moment, in milliseconds since the epoch. */
  readonly start: number;
  /** The first moment after it, in milliseconds since the epoch. */
  readonly end: number;
  /** What its count is stored under, such as `month-2026-11-01`. */
  readonly key: string;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** The latest period of each quota: a session asks twice a second, and a calendar is slow. */
const latest = new WeakMap<Quota, Period>();
const zones = new Map<string | undefined, ZoneOffset>();

/**
 * The period that a moment belongs to. A day is from midnight to midnight whatever clocks do in between; an hour is
 * what they show as one, and shorter where they are set by half an hour.
 *
 * @param quota Which periods, from which day on, in which time zone.
 * @param now Milliseconds since the epoch.
 * @returns The period.
 * @throws {RangeError} `found …, expected …`, if there is no such time zone.
 */
export function periodOf(quota: Quota, now: number): Period {
  const known = latest.get(quota);
  if (known !== undefined && known.start <= now && now < known.end) return known;
  let zone = zones.get(quota.zone);
  if (zone === undefined) zones.set(quota.zone, zone = new ZoneOffset(quota.zone));
  const period = quota.every === "hour" ? hourAt(now, zone) : daysAt(quota, now, zone);
  latest.set(quota, period);
  return period;
}

function hourAt(now: number, zone: ZoneOffset): Period {
  const local = now + zone.at(now);
  const full = now - modulo(local, HOUR);
  const start = zone.change(full, now) ?? full;
  const next = full + HOUR;
  const end = zone.change(now, next - 1) ?? next;
  return { start, end, key: `hour-${new Date(start).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z` };
}

function daysAt(quota: Quota, now: number, zone: ZoneOffset): Period {
  let first = firstDay(quota, Math.floor((now + zone.at(now)) / DAY));
  // Clocks may be set back over midnight: what counts is when they first showed it.
  for (;;) {
    const next = nextFirstDay(quota, first);
    const end = zone.reaches(next * DAY);
    if (now >= end) first = next;
    else return { start: zone.reaches(first * DAY), end, key: `${quota.every}-${isoDate(first)}` };
  }
}

/** The first day of the period that a day belongs to. Days are counted from the epoch, a Thursday. */
function firstDay({ every, startDay = 1 }: Quota, day: number): number {
  if (every === "day") return day;
  if (every === "week") return day - modulo(day + 4 - startDay, 7);
  const date = new Date(day * DAY);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  const first = dayOfMonth(year, month, startDay);
  return first <= day ? first : dayOfMonth(year, month - 1, startDay);
}

function nextFirstDay({ every, startDay = 1 }: Quota, first: number): number {
  if (every === "day") return first + 1;
  if (every === "week") return first + 7;
  const date = new Date(first * DAY);
  return dayOfMonth(date.getUTCFullYear(), date.getUTCMonth() + 1, startDay);
}

/** A day of a month, or its last where it has fewer. */
function dayOfMonth(year: number, month: number, day: number): number {
  const last = new Date(Date.UTC(year, month + 1, 0));
  return Math.min(last.getTime() / DAY, Date.UTC(year, month, day) / DAY);
}

function isoDate(day: number): string {
  return new Date(day * DAY).toISOString().slice(0, 10);
}

function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}
