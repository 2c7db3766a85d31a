/**
 * What the program starts with.
 *
 * @module
 */

import type { Config } from "../config/config.ts";
import type { ReadFile } from "../config/file.ts";
import type { LogSettings } from "./program_log.ts";

/** The settings that the program itself goes by, beside those of its server. */
export interface RunSettings extends Config, LogSettings {
  /** What becomes of running sessions when the settings are loaded again. */
  readonly reload?: "keep" | "recheck" | undefined;
  /** Whether the settings are loaded again when their files change. */
  readonly watch?: boolean | undefined;
  /** How long sessions may go on after the signal to end, in milliseconds; 0 is no limit. */
  readonly drainTimeout?: number | undefined;
  /** The user to become after listening: `USER` or `USER:GROUP`. */
  readonly runAs?: string | undefined;
}

/** Settings that were read. */
export interface Loaded {
  /** The settings. */
  readonly config: RunSettings;
  /** What is allowed, and not wise; a line each. */
  readonly warnings: readonly string[];
}

/** Settings to serve with, and a way to read them again. */
export interface ServeStart extends Loaded {
  /**
   * Reads them again from where they came from.
   *
   * @param readFile Reads files.
   * @throws {ConfigError} If they cannot be used any more.
   */
  load(readFile: ReadFile): Promise<Loaded>;
}
