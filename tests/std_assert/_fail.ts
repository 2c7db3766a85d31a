import { AssertionError } from "node:assert";
import { inspect } from "node:util";

/** Throws an `AssertionError` that says `what`, with the caller's own words after a colon, as `@std/assert` puts it. */
export function failWith(what: string, msg?: string, values?: { actual?: unknown; expected?: unknown }): never {
  throw new AssertionError({ message: msg === undefined ? `${what}.` : `${what}: ${msg}`, ...values });
}

/** Formats a value for an assertion's message. */
export function show(value: unknown): string {
  return inspect(value, { depth: 10, maxArrayLength: 200, sorted: true });
}
