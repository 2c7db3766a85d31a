/**
 * Durations as people write them.
 *
 * @module
 */

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** The longest duration, in milliseconds: 576 hours. The timers of all runtimes end soon after. */
export const LONGEST_DURATION: number = 576 * UNITS.h;

/**
 * Reads a duration: a number of seconds, or text such as `3`, `3s`, `2m`, `1.5h` or `500ms`.
 *
 * @param written What the operator wrote.
 * @returns Milliseconds, from 0 to {@linkcode LONGEST_DURATION}; `undefined` if it is no such duration. Only a plain
 * zero becomes 0, which means no limit.
 */
export function parseDuration(written: number | string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,15})?)(ms|s|m|h)?$/.exec(typeof written === "number" ? plain(written) : written);
  if (match === null) return undefined;
  const amount = Number(match[1]);
  const duration = Math.round(amount * UNITS[(match[2] ?? "s") as keyof typeof UNITS]);
  if (duration > LONGEST_DURATION || (duration === 0 && amount !== 0)) return undefined;
  return duration;
}

/**
 * Writes a duration in its largest unit without a remainder: the shortest text that {@linkcode parseDuration} reads
 * back.
 *
 * @param duration Whole milliseconds, 0 or more.
 */
export function formatDuration(duration: number): string {
  if (duration === 0) return "0";
  const unit = (["h", "m", "s", "ms"] as const).find((unit) => duration % UNITS[unit] === 0) ?? "ms";
  return `${duration / UNITS[unit]}${unit}`;
}

/** A number without an exponent; what has one is no duration anyway. */
function plain(amount: number): string {
  return String(amount);
}
