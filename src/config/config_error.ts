/**
 * The error for settings that cannot be used.
 *
 * @module
 */

/** Settings that cannot be used; every problem is a line of its own. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  /** What is wrong: the flag, or the file and the path in it, what was found and what is expected. */
  readonly problems: readonly string[];

  /** @param problems What is wrong, at least one line. */
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}
