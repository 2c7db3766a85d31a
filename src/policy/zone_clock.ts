/**
 * What clocks on the wall show.
 *
 * @module
 */

import { mistake } from "./mistake.ts";

/** A day of the week and a minute of it. */
export interface LocalTime {
  /** 0 (Monday) to 6. */
  readonly day: number;
  /** 0 to 1439. */
  readonly minute: number;
}

/** The days of the week, as they are written. */
export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/**
 * The clock of one time zone. Offsets change on whole minutes, so each minute is worked out once: asking `Intl` takes
 * as long as deciding hundreds of rules.
 */
export class ZoneClock {
  readonly #format: Intl.DateTimeFormat;
  #minute = NaN;
  #time: LocalTime = { day: 0, minute: 0 };

  /**
   * @param zone A time zone of the IANA database; the machine's if absent.
   * @throws {RangeError} `found …, expected …`, if there is no such zone.
   */
  constructor(zone: string | undefined) {
    try {
      this.#format = new Intl.DateTimeFormat("en-US", {
        timeZone: zone,
        weekday: "short",
        hour: "2-digit",
        minute: "2-digit",
        hourCycle: "h23",
      });
    } catch {
      throw mistake(zone, 'a time zone such as "Europe/Berlin" or "UTC"');
    }
  }

  /**
   * What it shows.
   *
   * @param now Milliseconds since the epoch.
   */
  at(now: number): LocalTime {
    const minute = Math.floor(now / 60_000);
    if (minute !== this.#minute) {
      const parts = this.#format.formatToParts(now);
      const part = (type: string): string => parts.find((part) => part.type === type)?.value ?? "";
      this.#time = {
        day: WEEKDAYS.indexOf(part("weekday").toLowerCase() as typeof WEEKDAYS[number]),
        minute: Number(part("hour")) * 60 + Number(part("minute")),
      };
      this.#minute = minute;
    }
    return this.#time;
  }
}
