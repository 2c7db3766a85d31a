/**
 * Counts as text.
 *
 * @module
 */

import type { SavedCount } from "./count_table.ts";

/** What the text says it is. */
const FORMAT = "socks-counts-1";

/**
 * Writes counts as JSON, one on a line.
 *
 * @param counts The counts.
 * @returns The text.
 */
export function formatCounts(counts: Iterable<SavedCount>): string {
  const lines: string[] = [];
  for (const count of counts) lines.push(JSON.stringify(count));
  return `{"format":"${FORMAT}","counts":[\n${lines.join(",\n")}\n]}\n`;
}

/**
 * Reads what {@linkcode formatCounts} wrote.
 *
 * @param text The text.
 * @returns The counts.
 * @throws {RangeError} `found …, expected …`.
 */
export function parseCounts(text: string): readonly SavedCount[] {
  const { format, counts } = parseObject(text);
  if (format !== FORMAT) throw wrong(format === undefined ? "JSON without a format" : `format ${found(format)}`);
  if (!Array.isArray(counts)) throw wrong(`counts ${found(counts)}`);
  for (const count of counts) if (!isCount(count)) throw wrong(`count ${found(count)}`);
  return counts;
}

function parseObject(text: string): { format?: unknown; counts?: unknown } {
  if (text.trim() === "") throw wrong("nothing");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong(`${text.length} characters that are not JSON`);
  }
  if (typeof value !== "object" || value === null) throw wrong(found(value));
  return value;
}

function isCount(count: unknown): count is SavedCount {
  if (!Array.isArray(count) || count.length !== 3) return false;
  const [key, value, until] = count as unknown[];
  return typeof key === "string" && Number.isSafeInteger(value) && Number.isSafeInteger(until);
}

function found(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function wrong(what: string): RangeError {
  return new RangeError(`found ${what}, expected {"format":"${FORMAT}","counts":[["KEY",COUNT,TIME],…]}`);
}
