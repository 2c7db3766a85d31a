import { failWith, show } from "./_fail.ts";

/** A class, abstract or not; the real library spells it the same way. */
// deno-lint-ignore no-explicit-any -- any constructor fits, whatever it takes
type ErrorClass<E> = abstract new (...args: any[]) => E;

/** Asserts that `error` is an `Error`, of `ErrorClass` and with `msgIncludes` in its message where they are given. */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  ErrorClass?: ErrorClass<E>,
  msgIncludes?: string | RegExp,
  msg?: string,
): asserts error is E {
  if (!(error instanceof Error)) failWith(`Expected "error" to be an Error object, found ${show(error)}`, msg);
  if (ErrorClass && !(error instanceof ErrorClass)) {
    failWith(`Expected error to be instance of "${ErrorClass.name}", but was "${error.constructor.name}"`, msg);
  }
  const fits = msgIncludes === undefined ||
    (typeof msgIncludes === "string" ? error.message.includes(msgIncludes) : msgIncludes.test(error.message));
  if (!fits) failWith(`Expected error message to include ${show(msgIncludes)}, but got ${show(error.message)}`, msg);
}

/** Asserts that `fn` throws; with an error class, what is thrown must be an `Error` of it. Returns what was thrown. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows(
  fn: () => unknown,
  classOrMsg?: ErrorClass<Error> | string,
  msgIncludes?: string,
  msg?: string,
): unknown {
  const own = typeof classOrMsg === "string" ? classOrMsg : msg;
  let thrown: unknown;
  try {
    fn();
  } catch (error) {
    thrown = error;
    if (typeof classOrMsg === "function") assertIsError(error, classOrMsg, msgIncludes, own);
    return thrown;
  }
  failWith("Expected function to throw", own);
}

/** Asserts that `fn` returns a promise that rejects; a synchronous throw is a failure. Resolves to what was thrown. */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: ErrorClass<Error> | string,
  msgIncludes?: string,
  msg?: string,
): Promise<unknown> {
  const own = typeof classOrMsg === "string" ? classOrMsg : msg;
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (error) {
    failWith(`Function throws when expected to reject (${show(error)})`, own);
  }
  if (typeof promise?.then !== "function") failWith("Function did not return a promise when expected to reject", own);
  try {
    await promise;
  } catch (error) {
    if (typeof classOrMsg === "function") assertIsError(error, classOrMsg, msgIncludes, own);
    return error;
  }
  failWith("Expected function to reject", own);
}
