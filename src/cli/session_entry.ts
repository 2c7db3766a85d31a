/**
 * Sessions as entries of the log.
 *
 * @module
 */

import { formatAddress } from "../net/address.ts";
import type { Refusal, SessionInfo, SessionSummary } from "../server/observer.ts";
import type { LogEntry } from "./log_entry.ts";
import { formatSession, formatSessionEnd, isLookup } from "./session_line.ts";

/**
 * The account of a session that is over. In JSON it is the event `session`: `id`, `end` (a `CloseCause`), `refusal`
 * (`authentication`, `rules`, `protocol` or `network`, if it was refused), `client` and `clientPort`, `listener` and
 * `listenerName`, `protocol`, `user`, `command`, `target` and `targetPort`, `address` and `addressPort`, `via` (the way
 * out, unless that is the direct one) and `viaMember` (of a group), `rule`, `sent` and `received` (bytes from and to the client), `duration`
 * (milliseconds) and `reason`. What is not known is left out.
 *
 * @param session The session.
 * @param summary Its account.
 * @param refusal Its refusal, if it was refused.
 */
export function sessionEntry(session: SessionInfo, summary: SessionSummary, refusal: Refusal | undefined): LogEntry {
  const { sent, received, duration, cause, reason } = summary;
  return {
    event: "session",
    toString: () => formatSessionEnd(session, summary, refusal),
    // How it ended comes before anything that a client chose.
    fields: () => ({
      id: session.id,
      end: cause,
      refusal: refusal?.cause,
      ...sessionFields(session),
      sent,
      received,
      duration: Math.round(duration),
      reason: refusal?.reason ?? reason,
    }),
  };
}

/**
 * A step of a session, for the level debug.
 *
 * @param event The step: `opened`, `authenticated`, `requested` or `connected`.
 * @param words The same in words.
 * @param session The session as far as it has come.
 */
export function stepEntry(event: string, words: string, session: SessionInfo): LogEntry {
  return {
    event,
    toString: () => `${formatSession(session)}, ${words}`,
    fields: () => ({ id: session.id, ...sessionFields(session) }),
  };
}

function sessionFields(session: SessionInfo): Record<string, unknown> {
  const { client, listener, listenerName, protocol, user, command, target, address, via, viaMember, rule } = session;
  return {
    client: client?.ip,
    clientPort: client?.port,
    listener: listener === undefined ? undefined : formatAddress(listener),
    listenerName,
    protocol,
    user: user?.name,
    command,
    target: target?.host,
    targetPort: isLookup(session) ? undefined : target?.port,
    address: address?.ip,
    addressPort: isLookup(session) ? undefined : address?.port,
    via,
    viaMember,
    rule,
  };
}
