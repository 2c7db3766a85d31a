/**
 * The users of the settings and of the users file.
 *
 * @module
 */

import { isPasswordHash } from "../auth/password_hash.ts";
import { userAdvice } from "../auth/user_advice.ts";
import type { UserEntry } from "../auth/user_list.ts";
import { parseUsersFile, UsersFileError } from "../auth/users_file.ts";
import { describeFound } from "./found.ts";
import type { MergedSettings } from "./merge.ts";
import { printable } from "./printable.ts";
import { type ReadFile, readText } from "./read_text.ts";
import type { Secret } from "./secret.ts";
import type { Secrets } from "./secrets.ts";
import { chapSecretProblem, passwordProblem } from "./user_schema.ts";

/** All users, and what is wrong with them. */
export interface AllUsers {
  /** The users; `undefined` if the settings name none. */
  readonly users: readonly UserEntry[] | undefined;
  /** A line for each problem of the users file. */
  readonly problems: readonly string[];
  /** What an operator should know. */
  readonly warnings: readonly string[];
  /** Whether the settings' own file holds any of their secrets. */
  readonly holdsSecrets: boolean;
}

/**
 * Puts all users together.
 *
 * @param merged The settings.
 * @param secrets Fetches their passwords, and takes down what is wrong with those.
 * @param readFile Reads files.
 */
export async function allUsers(merged: MergedSettings, secrets: Secrets, readFile: ReadFile): Promise<AllUsers> {
  const { users: settings, usersFile } = merged.settings;
  const problems: string[] = [];
  const users: UserEntry[] = [];
  const written: UserEntry[] = []; // where others may read it
  const isFile = merged.originOf(["users"])?.isFile === true;
  let holdsSecrets = false;
  for (const [index, setting] of (settings ?? []).entries()) {
    const { password: asPassword, chapSecret: asSecret, ...rest } = setting;
    const fetch = async (secret: Secret | undefined, key: string, problem: typeof passwordProblem) =>
      secret === undefined ? undefined : await secrets.fetch(secret, ["users", index, key], problem);
    const password = await fetch(asPassword, "password", passwordProblem);
    const chapSecret = await fetch(asSecret, "chapSecret", chapSecretProblem);
    const isLacking = asPassword !== undefined && password === undefined ||
      asSecret !== undefined && chapSecret === undefined;
    if (isLacking) continue;
    const user = { ...rest, ...password !== undefined && { password }, ...chapSecret !== undefined && { chapSecret } };
    users.push(user);
    if (!isFile) continue;
    if (typeof asPassword === "string") written.push(user);
    if (typeof asSecret === "string" || typeof asPassword === "string" && !isPasswordHash(asPassword)) {
      holdsSecrets = true;
    }
  }
  if (usersFile !== undefined) {
    const path = merged.pathFrom(["usersFile"], usersFile);
    const found = await readText(path, readFile);
    if ("problem" in found) problems.push(`${merged.nameOf(["usersFile"])}: ${printable(path)} ${found.problem}`);
    else {
      const more = entries(found.text, printable(path), problems);
      const names = new Set(settings?.map(({ name }) => name));
      for (const user of more.filter(({ name }) => names.has(name))) {
        problems.push(
          `${printable(path)}: found ${describeFound(user.name)}, who is in the settings, too, expected each name once`,
        );
      }
      users.push(...more);
      written.push(...more);
      await secrets.checkMode(path, ["usersFile"]);
      // Without users nobody would have to log in.
      if (users.length === 0 && problems.length === 0 && secrets.problems.length === 0) {
        problems.push(`${printable(path)}: found no users, expected one at least`);
      }
    }
  }
  const isNone = settings === undefined && usersFile === undefined;
  return { users: isNone ? undefined : users, problems, warnings: userAdvice(written), holdsSecrets };
}

function entries(text: string, name: string, problems: string[]): readonly UserEntry[] {
  try {
    return parseUsersFile(text);
  } catch (error) {
    if (!(error instanceof UsersFileError)) throw error;
    for (const problem of error.problems) problems.push(`${name}:${printable(problem).replace(/^line /, "")}`);
    return [];
  }
}
