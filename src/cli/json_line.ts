/**
 * Log lines for programs.
 *
 * @module
 */

import type { LogRecord } from "@logtape/logtape";
import { isLogEntry } from "./log_entry.ts";

/**
 * Writes a record as one line of JSON. Its keys come in this order: `time` (ISO 8601, in UTC), `level` (`debug`, `info`,
 * `warning`, `error`), `event` (what happened; `log` for what has words alone), then the fields of the entry, or
 * `message`.
 *
 * @param record The record.
 * @returns ASCII and what has a shape: whatever a terminal would act upon or nobody would see is escaped.
 */
export function formatJsonRecord(record: LogRecord): string {
  const { timestamp, level, message, properties } = record;
  const entry = isLogEntry(properties.line) ? properties.line : undefined;
  return jsonLine({
    time: new Date(timestamp).toISOString(),
    level,
    event: entry?.event ?? "log",
    ...entry === undefined ? { message: message.map(String).join("") } : entry.fields(),
  });
}

/**
 * Writes fields as one line of JSON that is safe to show: JSON itself lets bidi controls, C1 controls and invisible
 * characters through.
 *
 * @param fields The fields.
 */
export function jsonLine(fields: Readonly<Record<string, unknown>>): string {
  const json = JSON.stringify(fields);
  return /^[ -~]*$/.test(json) ? json : json.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, escape);
}

/** Such characters stand in strings alone, where this means the same. */
function escape(character: string): string {
  return Array.from(
    { length: character.length },
    (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`,
  ).join("");
}
