/**
 * Where the program's log goes, as its settings have it.
 *
 * @module
 */

import { getLogger, type Logger } from "@logtape/logtape";
import type { Config } from "../config/config.ts";
import { printable } from "../config/printable.ts";
import { startLog } from "./log.ts";
import { LogFile } from "./log_file.ts";

/** The settings of the log. */
export type LogSettings = Pick<Config, "logLevel" | "logFormat" | "logFile" | "runAs">;

/** Standard error, as far as the log needs it. */
export interface LogTerminal {
  /** Takes a line. */
  err(line: string): void;
  /** Whether a person reads it as it comes. */
  readonly isLive: boolean;
}

/** A log that is ready to take the place of the one there is. */
export interface PreparedLog {
  /** Takes the place. */
  use(): void;
  /** Lets go of what was opened. */
  discard(): void;
}

/** The log of the program, which can be exchanged while it runs. */
export class ProgramLog {
  /** Takes what is to be logged. */
  readonly logger: Logger = getLogger("socks");
  readonly #terminal: LogTerminal;
  #file: LogFile | undefined;

  /** @param terminal Where the program was started. */
  constructor(terminal: LogTerminal) {
    this.#terminal = terminal;
  }

  /**
   * Opens what the settings ask for; the log stays as it is.
   *
   * @param settings The settings.
   * @throws {Error} If the file cannot be opened.
   */
  prepare(settings: LogSettings): PreparedLog {
    const { logLevel, logFile, runAs } = settings;
    const former = this.#file;
    const file = logFile === undefined || logFile === former?.path
      ? undefined
      : this.#open(logFile, runAs === undefined);
    return {
      use: () => {
        const current = file ?? (logFile === undefined ? undefined : former);
        startLog({
          level: logLevel ?? "info",
          write: current === undefined ? this.#terminal.err : (line) => current.write(line),
          dated: current !== undefined || !this.#terminal.isLive,
          format: formatOf(settings, this.#terminal.isLive && current === undefined),
        });
        this.#file = current;
        if (former !== current) former?.close();
      },
      discard: () => file?.close(),
    };
  }

  /** Opens the file anew, if there is one: it may have been moved away. A failure is logged. */
  reopen(): void {
    try {
      this.#file?.reopen();
    } catch (error) {
      this.logger.error("{line}", { line: openProblem(this.#file!.path, error) });
    }
  }

  /**
   * Gives the file, if there is one, to the user that the program will run as.
   *
   * @throws {Error} If it cannot be given.
   */
  giveTo(uid: number, gid: number): void {
    try {
      this.#file?.giveTo(uid, gid);
    } catch (error) {
      throw new Error(`Cannot give the log file "${printable(this.#file!.path)}" away: ${reasonOf(error)}`);
    }
  }

  #open(path: string, mayBeLink: boolean): LogFile {
    try {
      return new LogFile(path, (problem) => this.#terminal.err(printable(problem)), { mayBeLink });
    } catch (error) {
      throw new Error(openProblem(path, error));
    }
  }
}

/**
 * Decides between text and JSON.
 *
 * @param settings The settings of the log.
 * @param isLive Whether a person reads it as it comes.
 */
export function formatOf({ logFormat = "auto" }: LogSettings, isLive: boolean): "text" | "json" {
  return logFormat === "auto" ? isLive ? "text" : "json" : logFormat;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such folder",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "read-only file system",
  EISDIR: "it is a folder",
  ENOTDIR: "no such folder",
  ELOOP: "it is a link, which could lead anywhere before the program becomes another user",
};

function openProblem(path: string, error: unknown): string {
  return `Cannot open the log file "${printable(path)}": ${reasonOf(error)}`;
}

function reasonOf(error: unknown): string {
  const { code = "", message = "" } = Object(error) as { code?: string; message?: string };
  return REASONS[code] ?? printable(message);
}
