/**
 * Secrets, fetched from where they are kept.
 *
 * @module
 */

import type { Environment } from "./environment.ts";
import type { MergedSettings } from "./merge.ts";
import { printable } from "./printable.ts";
import { type ReadFile, readText } from "./read_text.ts";
import type { Secret } from "./secret.ts";

/** The permission bits of a file, or `undefined` where there are none. */
export type FileMode = (path: string) => Promise<number | undefined>;

/** What is needed to fetch secrets. */
export interface SecretsOptions {
  /** The settings that name them. */
  readonly merged: MergedSettings;
  /** Reads files. */
  readonly readFile: ReadFile;
  /** The permissions of files. */
  readonly fileMode: FileMode | undefined;
  /** The environment. */
  readonly environment: Environment;
}

/** Fetches secrets, and takes down what is wrong with them. */
export class Secrets {
  /** A line for each that could not be fetched. */
  readonly problems: string[] = [];
  /** A line for each that others could read. */
  readonly warnings: string[] = [];
  /** The environment variables that hold secrets. */
  readonly variables: Set<string> = new Set();
  readonly #options: SecretsOptions;

  /** @param options What is needed to fetch them. */
  constructor(options: SecretsOptions) {
    this.#options = options;
  }

  /**
   * Fetches a secret.
   *
   * @param secret What is written.
   * @param path Where it is written.
   * @param problem What is wrong with the text of one, without it.
   * @returns The secret, or `undefined` if something is wrong with it.
   */
  async fetch(
    secret: Secret,
    path: readonly PropertyKey[],
    problem: (text: string) => string | undefined,
  ): Promise<string | undefined> {
    if (typeof secret === "string") return secret; // looked at already
    const [key, text] = "file" in secret
      ? ["file", await this.#fromFile(secret.file, path)]
      : ["env", this.#fromVariable(secret.env, path)];
    if (text === undefined) return undefined;
    const words = text === "" ? "found nothing in it, expected a secret" : problem(text);
    if (words === undefined) return text;
    this.#wrong([...path, key], words);
    return undefined;
  }

  /**
   * Warns of a file with secrets that others can read.
   *
   * @param file The file.
   * @param path Where it is named; empty for the settings' own file.
   */
  async checkMode(file: string, path: readonly PropertyKey[]): Promise<void> {
    const mode = await this.#options.fileMode?.(file).catch(() => undefined);
    if (mode === undefined || (mode & 0o004) === 0) return;
    const name = path.length === 0 ? printable(file) : `${this.#options.merged.nameOf(path)}: ${printable(file)}`;
    this.warnings.push(
      `${name} can be read by everybody on this machine, expected at most owner and group (chmod o-r)`,
    );
  }

  async #fromFile(named: string, path: readonly PropertyKey[]): Promise<string | undefined> {
    const { merged, readFile } = this.#options;
    const file = merged.pathFrom(path, named);
    const found = await readText(file, readFile);
    if ("problem" in found) {
      this.#wrong([...path, "file"], `${printable(file)} ${found.problem}`);
      return undefined;
    }
    await this.checkMode(file, [...path, "file"]);
    return found.text.replace(/\r?\n$/, "");
  }

  #fromVariable(name: string, path: readonly PropertyKey[]): string | undefined {
    this.variables.add(name);
    const text = this.#options.environment[name];
    if (text === undefined) this.#wrong([...path, "env"], `found no environment variable ${name}, expected one`);
    return text;
  }

  #wrong(path: readonly PropertyKey[], words: string): void {
    this.problems.push(`${this.#options.merged.nameOf(path)}: ${words}`);
  }
}
