/**
 * What the program sees of the place it was started in.
 *
 * @module
 */

import { readFile, stat } from "node:fs/promises";
import process from "node:process";
import { isatty } from "node:tty";
import type { ReadFile } from "../config/read_text.ts";

/** Where the program writes to, and where its files are. */
export interface Terminal {
  /** Writes a line to standard output: what was asked for. */
  out(line: string): void;
  /** Writes a line to standard error: the log, and what went wrong. */
  err(line: string): void;
  /** Whether a person reads standard error as it comes. */
  readonly isLive: boolean;
  /** The width of the terminal in columns, if it has one. */
  readonly columns: number | undefined;
  /** Reads files. */
  readonly readFile: ReadFile;
  /** The permissions of a file (0o600, say), or `undefined` where there are none or the file is not. */
  fileMode?(path: string): Promise<number | undefined>;
  /** The environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The terminal of this process. `console` writes at once on every runtime, where a stream of Bun loses at the end of the
 * process what a slow reader has not taken. What Bun hears of as an error it paints red, and a warning not.
 */
export const terminal: Terminal = {
  out: (line) => console.log(line),
  err: (line) => console.warn(line),
  isLive: process.stderr.isTTY === true,
  columns: isatty(1) ? process.stdout.columns : undefined,
  readFile,
  fileMode: async (path) => {
    if (process.platform === "win32") return undefined;
    const status = await stat(path).catch(() => undefined);
    return status === undefined ? undefined : status.mode & 0o777;
  },
  env: process.env,
};

/**
 * Goes on when nobody reads what is written any more: on Node a closed pipe would end the process. On Bun it does not, and
 * to touch a stream there makes a copy of its descriptor, which stays open.
 */
export function outliveReaders(): void {
  if ("Bun" in globalThis) return;
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}
