/**
 * The account of a session on one line.
 *
 * @module
 */

import { printable, printableWord } from "../config/printable.ts";
import { formatAddress, formatHostPort } from "../net/address.ts";
import type { Refusal, SessionInfo, SessionSummary } from "../server/observer.ts";
import { formatByteCount } from "./byte_count.ts";
import { formatElapsed } from "./elapsed.ts";

/**
 * Writes who asked for what: `#12 127.0.0.1:52344 ada connect example.com:443 (93.184.216.34:443) by "web"`, the last
 * being the rule that decided, and before it `via "pool" ("tor")` where it leaves by another way than the direct one, in
 * brackets the member of a group. A hyphen stands for the user where nobody had to log in. Whatever the client sent is
 * escaped, each piece of it one word.
 *
 * @param session The session as far as it has come.
 */
export function formatSession(session: SessionInfo): string {
  const { id, client, listener, user, command, target, address, via, viaMember, rule } = session;
  const source = client ?? listener;
  const words = [`#${id}`, source === undefined ? "-" : printableWord(formatAddress(source))];
  if (user !== undefined || command !== undefined) words.push(user === undefined ? "-" : printableWord(user.name));
  if (command !== undefined) words.push(command);
  const asked = target && printableWord(isLookup(session) ? target.host : formatHostPort(target.host, target.port));
  if (asked !== undefined) words.push(asked);
  const reached = address && (isLookup(session) ? address.ip : formatAddress(address));
  if (reached !== undefined && reached !== asked) words.push(`(${reached})`);
  if (via !== undefined) words.push(`via "${printable(via)}"`);
  if (viaMember !== undefined) words.push(`("${printable(viaMember)}")`);
  if (rule !== undefined) words.push(`by "${printable(rule)}"`);
  return words.join(" ");
}

/**
 * Writes the account of a session that is over: the words of {@linkcode formatSession}, then
 * `1.2 KiB up, 48 KiB down, 3.1 s, finished`. Bytes are left out where no relay began.
 *
 * @param session The session.
 * @param summary Its account.
 * @param refusal Its refusal, if it was refused.
 */
export function formatSessionEnd(session: SessionInfo, summary: SessionSummary, refusal: Refusal | undefined): string {
  const { sent, received, duration } = summary;
  const facts = [formatSession(session)];
  if (refusal === undefined && !isLookup(session) && (session.address !== undefined || sent + received > 0)) {
    facts.push(`${formatByteCount(sent)} up`, `${formatByteCount(received)} down`);
  }
  facts.push(formatElapsed(duration), formatCause(summary, refusal));
  return facts.join(", ");
}

/** Whether a session asks for a lookup alone: there are no ports, and no bytes. */
export function isLookup({ command }: Pick<SessionInfo, "command">): boolean {
  return command === "resolve" || command === "resolve-ptr";
}

const REFUSALS: Readonly<Record<Refusal["cause"], string>> = {
  authentication: "login refused",
  rules: "refused by rules",
  protocol: "refused",
  network: "failed",
};

function formatCause({ cause, reason: why }: SessionSummary, refusal: Refusal | undefined): string {
  const end = refusal === undefined ? cause : REFUSALS[refusal.cause];
  const reason = refusal?.reason ?? why;
  return reason === undefined ? end : `${end}: ${printable(reason)}`;
}
