/**
 * Hours of days of the week in a rule.
 *
 * @module
 */

import { mistake } from "./mistake.ts";
import type { TimeWindow } from "./rule.ts";
import { type LocalTime, WEEKDAYS, ZoneClock } from "./zone_clock.ts";

/** Hours of a day, in minutes from its first. */
export interface Hours {
  /** The first minute, 0 to 1439. */
  readonly from: number;
  /** The minute after the last, 1 to 1440; not above `from` if they go over midnight. */
  readonly to: number;
}

const NAMES = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const WHOLE_DAY: Hours = { from: 0, to: 1440 };

/**
 * Reads days: `mon`, `mon-fri`, `sat,sun`, `fri-mon`; full names, too.
 *
 * @param text What the operator wrote.
 * @returns A flag for each day, Monday first.
 * @throws {RangeError} `found …, expected …`.
 */
export function parseDays(text: string): readonly boolean[] {
  const days = WEEKDAYS.map(() => false);
  const wrong = () => mistake(text, 'days such as "mon-fri" or "sat,sun"');
  if (typeof text !== "string") throw wrong();
  for (const part of text.toLowerCase().split(",")) {
    const ends = part.split("-").map((word) => dayOf(word.trim()));
    const [first, last = first] = ends;
    if (first === undefined || last === undefined || ends.length > 2 || ends.includes(undefined)) throw wrong();
    for (let day = first;; day = (day + 1) % 7) {
      days[day] = true;
      if (day === last) break;
    }
  }
  return days;
}

/**
 * Reads hours: `08:00-18:00`, `22:00-06:00`, `18:00-24:00`.
 *
 * @param text What the operator wrote.
 * @returns The hours.
 * @throws {RangeError} `found …, expected …`.
 */
export function parseHours(text: string): Hours {
  const match = /^\s*(\d{1,2}):(\d\d)\s*-\s*(\d{1,2}):(\d\d)\s*$/.exec(text);
  const minutes = (hour: string | undefined, minute: string | undefined): number =>
    Number(minute) < 60 ? Number(hour) * 60 + Number(minute) : NaN;
  const from = minutes(match?.[1], match?.[2]);
  const end = minutes(match?.[3], match?.[4]);
  if (!(from < 1440 && end <= 1440)) throw mistake(text, 'hours such as "08:00-18:00" or "22:00-06:00"');
  const to = end === 0 ? 1440 : end;
  if (from === to) throw mistake(text, 'an end that is not the beginning; the whole day is "00:00-24:00"');
  return { from, to };
}

/**
 * Checks the name of a time zone.
 *
 * @param zone What the operator wrote.
 * @throws {RangeError} `found …, expected …`.
 */
export function parseZone(zone: string): string {
  if (typeof zone !== "string" || zone === "") throw mistake(zone, 'a time zone such as "Europe/Berlin" or "UTC"');
  new ZoneClock(zone);
  return zone;
}

/** A window of time, ready to be asked. */
export class CompiledWindow {
  readonly #days: readonly boolean[] | undefined;
  readonly #hours: Hours;
  readonly #clock: ZoneClock;

  /**
   * @param window What the operator wrote.
   * @param clockOf Gives the clock of a zone, so that windows of one zone share it.
   * @throws {RangeError} `found …, expected …`.
   */
  constructor(window: TimeWindow, clockOf: (zone: string | undefined) => ZoneClock) {
    this.#days = window.days === undefined ? undefined : parseDays(window.days);
    this.#hours = window.hours === undefined ? WHOLE_DAY : parseHours(window.hours);
    this.#clock = clockOf(window.zone);
  }

  /**
   * Whether a time is in it. Hours over midnight belong to the day that they begin on: with `fri` and `22:00-06:00`
   * Saturday at 5 is in it, Friday at 5 is not. In the night that the clocks are put back, an hour counts twice.
   *
   * @param now Milliseconds since the epoch.
   */
  has(now: number): boolean {
    const { day, minute } = this.#clock.at(now);
    const { from, to } = this.#hours;
    if (from < to) return minute >= from && minute < to && this.#isDay(day);
    return minute >= from ? this.#isDay(day) : minute < to && this.#isDay((day + 6) % 7);
  }

  /** What the clock of its zone shows. */
  localTime(now: number): LocalTime {
    return this.#clock.at(now);
  }

  #isDay(day: number): boolean {
    return this.#days === undefined || this.#days[day]!;
  }
}

function dayOf(word: string): number | undefined {
  const day = word.length === 3 ? WEEKDAYS.indexOf(word as typeof WEEKDAYS[number]) : NAMES.indexOf(word);
  return day < 0 ? undefined : day;
}
