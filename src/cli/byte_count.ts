/**
 * Numbers of bytes for people.
 *
 * @module
 */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/**
 * Writes a number of bytes with two or more digits: `512 B`, `1.2 KiB`, `48 KiB`.
 *
 * @param bytes 0 or more.
 */
export function formatByteCount(bytes: number): string {
  let amount = bytes, unit = 0;
  // What would be rounded to 1024 belongs to the next unit.
  while (amount >= (unit === 0 ? 1024 : 1023.5) && unit < UNITS.length - 1) {
    amount /= 1024;
    unit++;
  }
  return `${unit > 0 && amount < 9.95 ? amount.toFixed(1) : Math.round(amount)} ${UNITS[unit]}`;
}
