/**
 * The command that makes users.
 *
 * @module
 */

import process from "node:process";
import { hashPassword } from "../auth/password_hash.ts";
import type { UserEntry } from "../auth/user_entry.ts";
import { formatUser, UsersFileError, withUser } from "../auth/users_file.ts";
import { printable } from "../config/printable.ts";
import type { PasswdArguments } from "./passwd_command.ts";
import { NoAnswer, openPrompt, type Prompt } from "./prompt.ts";
import { replaceFile } from "./replace_file.ts";
import type { Terminal } from "./terminal.ts";

/** What the command works with, so that it can be tried without a person and a disk. */
export interface PasswdTools {
  /** Opens the place where answers come from. */
  readonly openPrompt: () => Prompt;
  /** Makes a hash of a password. */
  readonly hash: (password: string) => Promise<string>;
  /** Changes a file. */
  readonly replaceFile: (path: string, change: (text: string) => string) => Promise<boolean>;
  /** Whether it is root who makes files. */
  readonly isRoot: boolean;
}

/** A hash that stands for the one to come. */
const STAND_IN = `$argon2id$v=19$m=8,t=1,p=1$${"A".repeat(22)}$${"A".repeat(43)}`;

/** A service rather runs as somebody else. */
const ROOT_ALONE =
  "Root alone can read it. A server that runs as another user needs it to be of a group of that user: " +
  "chgrp GROUP FILE, chmod 640 FILE";

const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  ENOENT: "no such directory",
  ENOTDIR: "no such directory",
  EISDIR: "it is a directory",
  EROFS: "the file system is read-only",
  ENOSPC: "no space left",
};

/**
 * Asks for a password, and prints an entry of a users file or puts it there.
 *
 * @param given What was given on the command line.
 * @param terminal Where it was started.
 * @param tools What it works with.
 * @returns The exit code: 0, 1 if the file cannot be read or written, 2 for a mistake, 130 if it was called off.
 */
export async function runPasswd(
  given: PasswdArguments,
  terminal: Terminal,
  tools: PasswdTools = { openPrompt, hash: hashPassword, replaceFile, isRoot: process.getuid?.() === 0 },
): Promise<number> {
  const { groups, file } = given;
  const fail = (problem: string, code = 2): number => {
    terminal.err(printable(`Cannot make an entry: ${problem}`));
    return code;
  };
  const prompt = tools.openPrompt();
  let user: UserEntry;
  try {
    if (given.name === undefined && !prompt.isLive) {
      return fail("found no name, expected one: socks-server passwd NAME");
    }
    const name = given.name ?? await prompt.ask("Name: ", false);
    formatUser({ name, password: STAND_IN, groups }); // before anybody types a password for nothing
    const password = await prompt.ask(`Password for ${printable(name)}: `, true);
    if (password === "") return fail("found an empty password, expected 1 to 255 bytes");
    if (prompt.isLive && await prompt.ask("Again: ", true) !== password) {
      return fail("found two different passwords, expected the same twice");
    }
    user = { name, password: await tools.hash(password), groups };
  } catch (error) {
    if (error instanceof NoAnswer) return fail(error.message, error.isInterrupt ? 130 : 2);
    if (error instanceof RangeError) return fail(error.message.replace(/^Cannot hash a password: /, ""));
    throw error;
  } finally {
    prompt.close();
  }
  if (file === undefined) {
    terminal.out(formatUser(user));
    return 0;
  }
  try {
    const isNew = await tools.replaceFile(file, (text) => withUser(text, user));
    terminal.out(printable(`Wrote "${user.name}" to ${isNew ? "the new file " : ""}"${file}"`));
    if (isNew && tools.isRoot) terminal.out(ROOT_ALONE);
    return 0;
  } catch (error) {
    if (error instanceof UsersFileError) {
      for (const problem of error.problems) terminal.err(printable(`${file}: ${problem}`));
      return 2;
    }
    if (error instanceof RangeError) {
      terminal.err(printable(`${file}: ${error.message}`));
      return 2;
    }
    const { code } = error as { code?: string };
    if (code === undefined) throw error;
    terminal.err(printable(`Cannot write "${file}": ${REASONS[code] ?? code}`));
    return 1;
  }
}
