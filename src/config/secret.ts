/**
 * Passwords, and where they are kept.
 *
 * @module
 */

/** A secret as it is written: itself, or the file or the environment variable that holds it. */
export type Secret = string | SecretFile | SecretVariable;

/** A file that holds a secret. The end of its last line is not a part of it. */
export interface SecretFile {
  /** The path. */
  readonly file: string;
}

/** An environment variable that holds a secret. */
export interface SecretVariable {
  /** The name. */
  readonly env: string;
}
