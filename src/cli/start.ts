/**
 * What the program starts with.
 *
 * @module
 */

import type { Config } from "../config/config.ts";
import type { ReadFile } from "../config/read_text.ts";

/** Settings that were read. */
export interface Loaded {
  /** The settings. */
  readonly config: Config;
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
