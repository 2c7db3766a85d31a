/**
 * The one kind of error that crosses the runtime contract.
 *
 * @module
 */

/** What went wrong, the same word on every runtime. */
export type NetErrorCode =
  | "refused"
  | "unreachable-network"
  | "unreachable-host"
  | "timeout"
  | "reset"
  | "closed"
  | "aborted"
  | "name-not-found"
  | "lookup-failed"
  | "address-in-use"
  | "address-not-available"
  | "permission-denied"
  | "too-many-files"
  | "not-allowed"
  | "not-supported"
  | "unknown";

/**
 * A failed network operation with a stable code. A dialler of your own may throw one to choose the reply that the
 * client gets.
 *
 * @example Refuse in a dialler of your own
 * ```ts
 * import { NetError } from "@x/socks";
 * import { assertEquals } from "@std/assert";
 *
 * const error = new NetError("not-allowed", "Cannot dial: closed on Sundays");
 * assertEquals(error.code, "not-allowed");
 * ```
 */
export class NetError extends Error {
  /** Always `NetError`. */
  override readonly name = "NetError";
  /** What went wrong. */
  readonly code: NetErrorCode;

  /**
   * Makes an error.
   *
   * @param code What went wrong.
   * @param message The action, a colon, the state found.
   * @param options The `cause`, where there is one.
   */
  constructor(code: NetErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The code of any thrown value: `unknown` for what is not a {@linkcode NetError}. */
export function netErrorCode(error: unknown): NetErrorCode {
  return error instanceof NetError ? error.code : "unknown";
}
