/**
 * What an operator should know of a list of users.
 *
 * @module
 */

import { isPasswordHash, parsePasswordHash } from "./password_hash.ts";
import type { UserEntry } from "./user_entry.ts";

/** How many names a line tells. */
const NAMES = 3;

/**
 * Says what is weak in a list of users that {@linkcode userList} takes: passwords in plain text, and hashes of different
 * costs, which let the time of a refusal tell that a user is there.
 *
 * @param users The users.
 * @returns Sentences for the log, without passwords; none if all is well.
 */
export function userAdvice(users: readonly UserEntry[]): readonly string[] {
  const advice: string[] = [];
  const plain = users.filter(({ password }) => password !== undefined && !isPasswordHash(password));
  if (plain.length > 0) {
    advice.push(`Passwords in plain text: ${names(plain)}; "socks-server passwd" makes hashes of them`);
  }
  const costs = users.flatMap(({ name, password }) =>
    password !== undefined && isPasswordHash(password) ? [{ name, cost: costOf(password) }] : []
  );
  const others = costs.filter(({ cost }) => cost !== costs[0]!.cost);
  if (others.length > 0) {
    advice.push(
      `Hashes that cost more or less than that of "${costs[0]!.name}": ${names(others)}; ` +
        "the time that a refusal takes tells that these users are there",
    );
  }
  return advice;
}

function costOf(password: string): string {
  const { memory, passes, lanes } = parsePasswordHash(password);
  return `m=${memory},t=${passes},p=${lanes}`;
}

function names(users: readonly { readonly name: string }[]): string {
  const some = users.slice(0, NAMES).map(({ name }) => `"${name}"`).join(", ");
  return users.length <= NAMES ? some : `${some} and ${users.length - NAMES} more`;
}
