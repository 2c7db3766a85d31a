/**
 * Whose fault a failure is: the way's, or the target's.
 *
 * @module
 */

import { ProxyError } from "../client/proxy_error.ts";
import type { WayOut } from "./way_out.ts";

/** What a failure says. */
export interface Blame {
  /** Whether another way may do better. */
  readonly isOfWay: boolean;
  /** Whether it would have failed for everybody: one client cannot take a way from the others. */
  readonly isForAll: boolean;
}

const NOBODY: Blame = { isOfWay: false, isForAll: false };

/**
 * Says whose fault a failure is. What was asked for is not the way's: a reply about the target, a name that does not
 * resolve, a rule.
 *
 * @param error What was thrown.
 * @param way The way that it was thrown by.
 */
export function blameFor(error: unknown, way: Pick<WayOut, "isolates">): Blame {
  if (!(error instanceof ProxyError)) return NOBODY;
  const { phase, code, isLast, reply, status } = error;
  const isLogin = phase === "authentication" && code === "permission-denied";
  if (isLogin) return { isOfWay: true, isForAll: way.isolates !== true };
  const isOfWay = phase === "dial" || phase === "tls" || phase === "greeting" || phase === "authentication" ||
    !isLast || phase === "request" && (code === "reset" || code === "closed" || code === "timeout");
  if (isOfWay) return { isOfWay, isForAll: true };
  // It was asked for the target and left, or spoke of itself: it may be dying, or may not like the target.
  const isNoAnswer = phase === "reply" && reply === undefined &&
    (code === "reset" || code === "closed" || status !== undefined);
  return isNoAnswer ? { isOfWay: true, isForAll: false } : NOBODY;
}

/**
 * Says whose fault it is that a way does not listen for a peer, carry datagrams or look names up. A proxy that will not do
 * so at all says nothing of a target; another may.
 *
 * @param error What was thrown.
 * @param way The way that it was thrown by.
 */
export function blameForService(error: unknown, way: Pick<WayOut, "isolates">): Blame {
  const isRefusal = error instanceof ProxyError && error.phase === "reply" &&
    ["not-supported", "not-allowed", "unknown"].includes(error.code);
  return isRefusal && error.isLast ? { isOfWay: true, isForAll: false } : blameFor(error, way);
}
