/**
 * What is logged, as people and as programs read it.
 *
 * @module
 */

/** Something to log: text for people, fields for programs. */
export interface LogEntry {
  /** What happened, in one word that stays: programs look for it. */
  readonly event: string;
  /** The line for people, printable already. */
  toString(): string;
  /** What programs read of it, in the order that it is written in; `undefined` is left out. */
  fields(): Readonly<Record<string, unknown>>;
}

/** Whether a value is a {@linkcode LogEntry}. */
export function isLogEntry(value: unknown): value is LogEntry {
  const { event, fields } = Object(value) as Partial<LogEntry>;
  return typeof event === "string" && typeof fields === "function";
}

/**
 * Makes an entry of words.
 *
 * @param event What happened, in one word.
 * @param message The same in words, printable already.
 * @param fields What else programs can read of it.
 */
export function wordsEntry(event: string, message: string, fields: Readonly<Record<string, unknown>> = {}): LogEntry {
  return { event, toString: () => message, fields: () => ({ message, ...fields }) };
}
