import { equal } from "./_equal.ts";
import { failWith, show } from "./_fail.ts";

/** Asserts that `actual` and `expected` are equal, deeply. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  const detail = `\n    actual: ${show(actual)}\n    expected: ${show(expected)}`;
  failWith(`Values are not equal${msg === undefined ? "" : `: ${msg}`}${detail}`, undefined, { actual, expected });
}

/** Asserts that `actual` and `expected` are not equal, deeply. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (!equal(actual, expected)) return;
  failWith(`Expected actual: ${show(actual)} not to be: ${show(expected)}`, msg, { actual, expected });
}

/** Asserts that `actual` and `expected` are one value by `Object.is`. */
export function assertStrictEquals<T>(actual: unknown, expected: T, msg?: string): asserts actual is T {
  if (Object.is(actual, expected)) return;
  const detail = `\n    actual: ${show(actual)}\n    expected: ${show(expected)}`;
  failWith(`Values are not strictly equal${msg === undefined ? "" : `: ${msg}`}${detail}`, undefined, {
    actual,
    expected,
  });
}

/** Asserts that `actual` and `expected` are two values by `Object.is`. */
export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void {
  if (Object.is(actual, expected)) failWith(`Expected "actual" to not be strictly equal to: ${show(actual)}`, msg);
}
