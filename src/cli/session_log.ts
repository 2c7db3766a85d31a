/**
 * Sessions in the log.
 *
 * @module
 */

import type { Logger } from "@logtape/logtape";
import { LOG_LEVELS, type LogLevel } from "../config/config.ts";
import type { Observer, Refusal, SessionInfo, SessionSummary } from "../server/observer.ts";
import { sessionEntry, stepEntry } from "./session_entry.ts";

/**
 * Makes an observer that logs one line for each session, at its end: at level info what was asked for and what became
 * of it, at warning what ended by a fault of ours, at debug who never came to ask (health checks, other protocols,
 * garbage) or did not wait for an answer. At level debug each step has a line too. Functions whose lines the log would
 * drop are left out, so that nothing is done for them. A rule may want its sessions left out, or those that were not
 * refused; faults of ours are told all the same.
 *
 * @param logger Where to.
 * @param level The least level that the log will have; by default the one that it has.
 */
export function sessionObserver(logger: Logger, level?: LogLevel): Observer {
  const isLogged = (what: LogLevel): boolean =>
    level === undefined ? logger.isEnabledFor(what) : LOG_LEVELS.indexOf(what) >= LOG_LEVELS.indexOf(level);
  if (!isLogged("warning")) return {};
  const logs = { debug: isLogged("debug"), info: isLogged("info"), warning: true };
  const refusals = new WeakMap<SessionInfo, Refusal>();

  const observer: Observer = {
    closed(session, summary) {
      const refusal = refusals.get(session);
      const level = levelOf(session, summary, refusal);
      if (!logs[level] || level !== "warning" && !isWanted(session, refusal)) return;
      // A placeholder: a message of its own would have the braces in it taken for one.
      logger[level]("{line}", { line: sessionEntry(session, summary, refusal) });
    },
  };
  if (!logs.info) return observer;
  observer.refused = (session, refusal) => void refusals.set(session, refusal);
  if (!logs.debug) return observer;
  const step = (event: string, words = event) => (session: SessionInfo): void => {
    if (isWanted(session, undefined)) logger.debug("{line}", { line: stepEntry(event, words, session) });
  };
  observer.opened = step("opened");
  observer.authenticated = step("authenticated", "logged in");
  observer.requested = step("requested");
  observer.connected = step("connected");
  return observer;
}

/** What the deciding rule says of it. */
function isWanted({ log }: SessionInfo, refusal: Refusal | undefined): boolean {
  return log === "refused" ? refusal !== undefined : log !== "none";
}

function levelOf(
  session: SessionInfo,
  { cause }: SessionSummary,
  refusal: Refusal | undefined,
): "debug" | "info" | "warning" {
  if (refusal !== undefined) return refusal.cause === "protocol" ? "debug" : "info";
  if (cause === "error") return "warning";
  if (cause === "health-check" || cause === "not-socks" || cause === "vanished") return "debug";
  return session.command === undefined ? "debug" : "info";
}
