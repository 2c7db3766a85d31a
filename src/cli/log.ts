/**
 * The log of the program.
 *
 * @module
 */

import { configureSync, getLogger, type Logger, type LogRecord } from "@logtape/logtape";
import type { LogLevel } from "../config/config.ts";
import { formatJsonRecord } from "./json_line.ts";

/** Where log lines go, and how they look. */
export interface LogOptions {
  /** The least level that is logged. */
  readonly level: LogLevel;
  /** Takes a line, without its end. */
  readonly write: (line: string) => void;
  /** Whether each line of text bears the date, as in a file; on a terminal the time of day does. */
  readonly dated: boolean;
  /**
   * Lines for people, or for programs.
   *
   * @default {"text"}
   */
  readonly format?: "text" | "json" | undefined;
}

/**
 * Starts the log, in place of one that was started before.
 *
 * @param options Where to, and how.
 * @returns The logger of the program.
 */
export function startLog({ level, write, dated, format }: LogOptions): Logger {
  const formatLine = format === "json" ? formatJsonRecord : (record: LogRecord) => formatRecord(record, dated);
  const sinks = { lines: (record: LogRecord) => write(formatLine(record)) };
  configureSync({
    reset: true,
    sinks,
    loggers: [
      { category: "socks", lowestLevel: level, sinks: ["lines"] },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["lines"] },
    ],
  });
  return getLogger("socks");
}

/**
 * Writes a record as `10:21:07 INFO  message`, in the time of this machine. The message must be printable already.
 *
 * @param record The record.
 * @param dated Whether the date comes first.
 */
export function formatRecord(record: LogRecord, dated: boolean): string {
  const at = new Date(record.timestamp);
  const two = (number: number) => String(number).padStart(2, "0");
  const date = dated ? `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ` : "";
  const time = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  const level = record.level.toUpperCase().padEnd(5);
  return `${date}${time} ${level} ${record.message.map(String).join("")}`;
}
