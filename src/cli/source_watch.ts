/**
 * The files that settings come from.
 *
 * @module
 */

import type { ReadFile } from "../config/read_text.ts";
import { reloadProblems } from "./reload.ts";
import type { Loaded, ServeStart } from "./start.ts";
import { FileWatch, type FileWatchOptions, signatureOf } from "./watch.ts";

/** Loads settings, notes which files were read for them, and watches these. */
export class SourceWatch {
  readonly #start: ServeStart;
  readonly #readFile: ReadFile;
  readonly #options: FileWatchOptions;
  #files: Map<string, string> = new Map();
  #watch: FileWatch | undefined;

  /**
   * @param start Loads them.
   * @param readFile Reads files.
   * @param options What is told of changes.
   */
  constructor(start: ServeStart, readFile: ReadFile, options: FileWatchOptions) {
    this.#start = start;
    this.#readFile = readFile;
    this.#options = options;
  }

  /**
   * Loads the settings again. If that fails, the files that were read for those before are watched as well: the
   * mistake may hide them.
   *
   * @throws What `load` throws.
   */
  async load(): Promise<Loaded> {
    const files = new Map<string, string>();
    try {
      const loaded = await this.#start.load(async (path) => {
        files.set(path, await signatureOf(path));
        return await this.#readFile(path);
      });
      this.#files = files;
      return loaded;
    } catch (error) {
      this.#files = new Map([...this.#files, ...files]);
      throw error;
    } finally {
      this.#watch?.set(this.#files);
    }
  }

  /**
   * Notes which files the settings come from, as {@linkcode load} does.
   *
   * @returns Why they could not be loaded, if so.
   */
  async look(): Promise<string | undefined> {
    try {
      await this.load();
      return undefined;
    } catch (error) {
      return reloadProblems(error)[0];
    }
  }

  /** Watches the files from now on. */
  start(): void {
    if (this.#watch !== undefined) return;
    this.#watch = new FileWatch(this.#options);
    this.#watch.set(this.#files);
  }

  /** Does not watch any more. */
  stop(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }
}
