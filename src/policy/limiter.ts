/**
 * The seam for limits: how many sessions, how fast, how much.
 *
 * @module
 */

import type { NetError } from "../net/errors.ts";
import type { Pace } from "../runtime/runtime.ts";
import type { Limit } from "./limit.ts";
import type { RequestInfo } from "./rules.ts";

/** Admits sessions. */
export interface Limiter {
  /**
   * Takes a place for a session whose request was allowed.
   *
   * @param request The request, and who makes it.
   * @param ruleLimit The limits of the rule that allowed it, if it has some.
   * @returns The place, or `undefined` for a session that has no limits.
   * @throws {NetError} `not-allowed`, with what is exceeded as its reason.
   */
  admit(request: RequestInfo, ruleLimit: Limit | undefined): Lease | undefined | Promise<Lease | undefined>;
  /** Saves what must outlive the process, and lets go of stores. */
  close(): Promise<void>;
}

/** A session's place within its limits. */
export interface Lease {
  /** How fast it may go, if that is limited. */
  readonly pace: Pace | undefined;
  /** How long it may last, in milliseconds, or `Infinity`. */
  readonly lifetime: number;
  /** How long it may go without a byte, in milliseconds, or `Infinity`. */
  readonly idle: number;
  /**
   * Is told now and then how much has gone through, and once more at the end.
   *
   * @param sent Bytes from the client so far.
   * @param received Bytes to the client so far.
   * @returns A reason to end the session, or `undefined`.
   */
  used(sent: number, received: number): NetError | undefined;
  /** Gives the place back. Called once. */
  release(): void;
}
