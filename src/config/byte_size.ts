/**
 * Sizes and speeds in bytes as people write them.
 *
 * @module
 */

const UNITS: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

const BITS: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };

/**
 * Reads a number of bytes, or text such as `10MiB`, `1.5 GB` or `500kB`: `k`, `M`, `G` and `T` count in thousands, `Ki`,
 * `Mi`, `Gi` and `Ti` in 1024s. Case does not count.
 *
 * @param written What the operator wrote.
 * @returns Whole bytes, at least 1; `undefined` if it is no such size.
 */
export function parseByteSize(written: number | string): number | undefined {
  return amountOf(String(written), UNITS);
}

/**
 * Reads a speed: a number of bytes a second, or text such as `10MiB/s`, `500kB/s` or `100Mbit/s`.
 *
 * @param written What the operator wrote.
 * @returns Whole bytes a second, at least 1; `undefined` if it is no such speed.
 */
export function parseBandwidth(written: number | string): number | undefined {
  if (typeof written === "number") return parseByteSize(written);
  if (/^\d+$/.test(written)) return parseByteSize(written);
  const text = /^(.*)\/s$/.exec(written)?.[1];
  if (text === undefined) return undefined;
  return amountOf(text, UNITS) ?? amountOf(text, BITS, 8);
}

const NAMES = ["TiB", "TB", "GiB", "GB", "MiB", "MB", "KiB", "kB", "B"] as const;

/**
 * Writes bytes as the shortest text without a fraction, for {@linkcode parseByteSize}.
 *
 * @param bytes Whole bytes.
 */
export function formatByteSize(bytes: number): string {
  const texts = NAMES.filter((name) => bytes % UNITS[name.toLowerCase()]! === 0)
    .map((name) => `${bytes / UNITS[name.toLowerCase()]!}${name}`);
  return texts.reduce((shortest, text) => text.length < shortest.length ? text : shortest);
}

function amountOf(text: string, units: Readonly<Record<string, number>>, parts = 1): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,15})?)\s?([a-z]*)$/i.exec(text);
  const name = match?.[2]?.toLowerCase() ?? "";
  const unit = name === "" && parts === 1 ? 1 : Object.hasOwn(units, name) ? units[name] : undefined;
  if (match === null || unit === undefined) return undefined;
  const bytes = Math.round(Number(match[1]) * unit / parts);
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined;
}
