/**
 * What a check of a proxy finds out.
 *
 * @module
 */

import { NetError } from "../net/errors.ts";
import { ProxyError } from "./proxy_error.ts";

/** Whether a proxy can do something; `unclear` if what it does is neither right nor wrong, `skipped` if nobody tried. */
export type Outcome = "yes" | "no" | "unclear" | "skipped";

/** What was tried, in the order of trials. */
export const TRIALS = [
  "socks5",
  "socks4",
  "socks4a",
  "http",
  "names",
  "ipv6",
  "bind",
  "udp",
  "login-required",
  "wrong-password",
  "half-close",
  "half-close-back",
  "split",
  "pipelined",
  "refused",
  "unknown-name",
  "unreachable",
  "unknown-command",
  "unknown-address-type",
] as const;

/** What was tried. */
export type TrialName = typeof TRIALS[number];

/** What came of one trial. */
export interface Finding {
  /** What was tried. */
  readonly name: TrialName;
  /** Whether the proxy can do it. */
  readonly outcome: Outcome;
  /** What was seen, in a few words; empty where the outcome says it all. */
  readonly detail: string;
}

/** Ends a trial with another outcome than "yes". */
export class NoGood extends Error {
  /** What came of it. */
  readonly outcome: Exclude<Outcome, "yes">;

  /**
   * @param outcome What came of it.
   * @param detail What was seen.
   */
  constructor(outcome: Exclude<Outcome, "yes">, detail: string) {
    super(detail);
    this.outcome = outcome;
  }
}

/** What an error says of a trial, in a few words. */
export function detailOf(error: unknown): string {
  if (error instanceof ProxyError) {
    const reply = error.reply === undefined ? "" : `, reply ${error.reply}`;
    return `${error.phase}: ${lastWords(error)}${reply}`;
  }
  return error instanceof Error ? lastWords(error) : String(error);
}

/** The place is known: it is the proxy that is checked. */
function lastWords({ message, cause }: Error): string {
  if (cause instanceof NetError) return lastWords(cause);
  return message.replace(/^Cannot [^:]*(?:"[^"]*"[^:]*)*: /, "");
}
