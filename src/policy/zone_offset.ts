/**
 * Time zones, as offsets that change now and then.
 *
 * @module
 */

const DAY = 86_400_000;

/** A time zone. Local times are written here as the milliseconds since the epoch at which UTC shows the same. */
export class ZoneOffset {
  readonly #format: Intl.DateTimeFormat;

  /**
   * Finds a time zone.
   *
   * @param zone A name of the IANA database; the machine's zone if absent.
   * @throws {RangeError} `found …, expected …`, if there is no such zone.
   */
  constructor(zone: string | undefined) {
    try {
      this.#format = new Intl.DateTimeFormat("en-US", {
        timeZone: zone,
        calendar: "gregory",
        numberingSystem: "latn",
        hourCycle: "h23",
        year: "numeric",
        month: "numeric",
        day: "numeric",
        hour: "numeric",
        minute: "numeric",
        second: "numeric",
      });
    } catch {
      throw new RangeError(`found ${JSON.stringify(zone)}, expected a time zone such as "Europe/Berlin" or "UTC"`);
    }
  }

  /**
   * How far local time is ahead of UTC.
   *
   * @param time Milliseconds since the epoch.
   * @returns Milliseconds; negative to the west.
   */
  at(time: number): number {
    const shown: Record<string, number> = {};
    for (const { type, value } of this.#format.formatToParts(time)) shown[type] = Number(value);
    const { year, month, day, hour, minute, second } = shown;
    return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) - Math.floor(time / 1000) * 1000;
  }

  /**
   * When the offset changes, if it does so within some time.
   *
   * @param from Milliseconds since the epoch.
   * @param to Milliseconds since the epoch; not so late that the offset could have changed twice.
   * @returns The first millisecond with the offset of `to`, or `undefined` if that is the one of `from`.
   */
  change(from: number, to: number): number | undefined {
    const offset = this.at(to);
    if (this.at(from) === offset) return undefined;
    let [before, after] = [from, to];
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.at(middle) === offset) after = middle;
      else before = middle;
    }
    return after;
  }

  /**
   * When a local time is reached, or passed where the clocks skip it. Where they show it twice it is the first time.
   *
   * @param local The local time.
   * @returns Milliseconds since the epoch.
   */
  reaches(local: number): number {
    // No zone is more than a day from UTC, not even one that crossed the date line.
    const [earliest, latest] = [local - 2 * DAY, local + 2 * DAY];
    const offset = this.at(earliest);
    const change = this.change(earliest, latest);
    if (change === undefined || local - offset < change) return local - offset;
    return Math.max(change, local - this.at(latest));
  }
}
