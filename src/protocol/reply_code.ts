/**
 * From what went wrong to what the client is told: the one table.
 *
 * @module
 */

import { NetError, type NetErrorCode, netErrorCode } from "../net/errors.ts";
import { Reply } from "./constants.ts";
import { ProtocolError } from "./decoded.ts";

const REPLIES: Partial<Record<NetErrorCode, number>> = {
  "not-allowed": Reply.NOT_ALLOWED,
  "unreachable-network": Reply.NETWORK_UNREACHABLE,
  "unreachable-host": Reply.HOST_UNREACHABLE,
  "name-not-found": Reply.HOST_UNREACHABLE,
  "lookup-failed": Reply.HOST_UNREACHABLE,
  "refused": Reply.CONNECTION_REFUSED,
  "timeout": Reply.TTL_EXPIRED,
};

/** A failure that knows its reply: of a proxy, whose word on the target is handed on. */
interface Answered {
  /** REP. */
  readonly answer: number;
}

/** REP for a failure. SOCKS4 has one code, 91, for all of them. */
export function replyCodeOf(error: unknown): number {
  if (isAnswered(error)) return error.answer;
  if (error instanceof ProtocolError) {
    if (error.fault === "command") return Reply.COMMAND_NOT_SUPPORTED;
    if (error.fault === "address-type") return Reply.ADDRESS_TYPE_NOT_SUPPORTED;
    return Reply.GENERAL_FAILURE;
  }
  return REPLIES[netErrorCode(error)] ?? Reply.GENERAL_FAILURE;
}

function isAnswered(error: unknown): error is Answered {
  return error instanceof NetError && typeof (error as Partial<Answered>).answer === "number";
}
