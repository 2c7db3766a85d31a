/**
 * Files of users: one on a line, with the password's hash.
 *
 * ```text
 * # NAME:HASH or NAME:HASH:GROUP,GROUP
 * ada:$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0…$aGFzaA…:staff,night
 * # NAME:plain:PASSWORD, where the password is the rest of the line
 * alan:plain:any: characters
 * ```
 *
 * A hash holds no colon, and what is no hash says that it is plain: nothing is taken for something else.
 *
 * @module
 */

import { isPasswordHash, parsePasswordHash } from "./password_hash.ts";
import type { UserEntry } from "./user_entry.ts";

/** A users file that cannot be used; every problem is a line of its own, without passwords. */
export class UsersFileError extends Error {
  /** Always `UsersFileError`. */
  override readonly name = "UsersFileError";
  /** What is wrong: `line N: found …, expected …`. */
  readonly problems: readonly string[];

  /**
   * Makes an error.
   *
   * @param problems What is wrong, at least one line.
   */
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

const PLAIN = "plain:";
const EXPECTED = "NAME:$argon2id$…, NAME:$argon2id$…:GROUPS or NAME:plain:PASSWORD";

/**
 * Reads a users file.
 *
 * @param text What stands in it.
 * @returns The users, in their order.
 * @throws {UsersFileError} If anything is wrong, with all that is wrong.
 */
export function parseUsersFile(text: string): readonly UserEntry[] {
  const users: UserEntry[] = [];
  const problems: string[] = [];
  const lineOf = new Map<string, number>();
  usersFileLines(text).forEach((line, index) => {
    if (!isEntry(line)) return;
    try {
      const user = parseUser(line);
      const former = lineOf.get(user.name);
      if (former !== undefined) throw new RangeError(`found the name of line ${former} again, expected another`);
      lineOf.set(user.name, index + 1);
      users.push(user);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      problems.push(`line ${index + 1}: ${error.message}`);
    }
  });
  if (problems.length > 0) throw new UsersFileError(problems);
  return users;
}

/**
 * Puts a user into a users file, in the place of the line with this name or after all others. The other lines stay as
 * they are.
 *
 * @param text What stands in the file.
 * @param user The user, whose password is a hash. Without groups the former ones stay.
 * @returns What shall stand in the file.
 * @throws {UsersFileError} If anything in the file is wrong.
 * @throws {RangeError} If the user cannot be written.
 */
export function withUser(text: string, user: UserEntry): string {
  const former = parseUsersFile(text).find(({ name }) => name === user.name);
  const line = formatUser({ ...user, groups: user.groups ?? former?.groups });
  const lines = usersFileLines(text);
  if (lines.at(-1) === "") lines.pop();
  const place = lines.findIndex((other) => isEntry(other) && nameOf(other) === user.name);
  lines.splice(place < 0 ? lines.length : place, place < 0 ? 0 : 1, line);
  return lines.map((each) => `${each}\n`).join("");
}

/**
 * Writes a line of a users file.
 *
 * @param user The user, whose password is a hash.
 * @returns `NAME:HASH` or `NAME:HASH:GROUP,GROUP`, without the line's end.
 * @throws {RangeError} If the user cannot be written: `found …, expected …`.
 */
export function formatUser({ name, password, groups = [] }: UserEntry): string {
  checkName(name);
  if (password === undefined || !isPasswordHash(password)) {
    throw new RangeError("found a password in plain text, expected a hash");
  }
  parsePasswordHash(password);
  groups.forEach(checkGroup);
  return groups.length === 0 ? `${name}:${password}` : `${name}:${password}:${groups.join(",")}`;
}

/** The lines of a file, whichever system wrote it. */
function usersFileLines(text: string): string[] {
  return text.replace(/^\ufeff/, "").split(/\r?\n/);
}

/** Whether a line is neither blank nor a comment. */
function isEntry(line: string): boolean {
  return !/^\s*(?:#|$)/.test(line);
}

function nameOf(line: string): string {
  return line.slice(0, line.indexOf(":"));
}

function parseUser(line: string): UserEntry {
  if (!line.includes(":")) throw new RangeError(`found no colon, expected ${EXPECTED}`);
  const name = nameOf(line);
  checkName(name);
  const rest = line.slice(name.length + 1);
  if (rest.startsWith(PLAIN)) {
    const password = rest.slice(PLAIN.length);
    if (isPasswordHash(password)) throw new RangeError("found a hash after plain:, expected it after NAME:");
    const { length } = new TextEncoder().encode(password);
    if (length > 255) throw new RangeError(`found a password of ${length} bytes, expected at most 255`);
    return { name, password };
  }
  if (!isPasswordHash(rest)) {
    throw new RangeError(`found neither a hash nor plain: after the name, expected ${EXPECTED}`);
  }
  const colon = rest.indexOf(":");
  const password = colon < 0 ? rest : rest.slice(0, colon);
  parsePasswordHash(password);
  if (colon < 0) return { name, password };
  const groups = rest.slice(colon + 1).split(",");
  groups.forEach(checkGroup);
  return { name, password, groups };
}

function checkName(name: string): void {
  const { length } = new TextEncoder().encode(name);
  if (length < 1 || length > 255) throw new RangeError(`found a name of ${length} bytes, expected 1 to 255`);
  // deno-lint-ignore no-control-regex
  const character = /[:\x00-\x1f\x7f]/.exec(name)?.[0];
  if (character !== undefined) {
    const found = character === ":" ? "a colon" : "a control character";
    throw new RangeError(`found ${found} in the name, expected none`);
  }
  if (name.trim() !== name) throw new RangeError("found a space around the name, expected none");
  if (name.startsWith("#")) throw new RangeError("found a name that begins with #, expected another character");
}

function checkGroup(group: string): void {
  // deno-lint-ignore no-control-regex
  if (/^[^\s:,\x00-\x1f\x7f]+$/.test(group)) return;
  throw new RangeError("found a group that is empty or has a space or colon in it, expected GROUP,GROUP");
}
