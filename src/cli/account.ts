/**
 * Users and groups of the system.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";

/** A user to run as. */
export interface Account {
  /** Its name; absent for a number that no user bears. */
  readonly name: string | undefined;
  /** Its id. */
  readonly uid: number;
  /** The id of its group. */
  readonly gid: number;
}

/** Finds the line of a name or an id in `passwd` or `group`, if there is one. */
export type FindEntry = (database: "passwd" | "group", key: string) => Promise<string | undefined>;

/**
 * Finds a user of the system.
 *
 * @param written `USER` or `USER:GROUP`, each a name or a number.
 * @param find Finds entries; by default in the files of `/etc` and with `getent`, which asks directories too.
 * @throws {RangeError} If there is no such user or group, or it is root.
 */
export async function findAccount(written: string, find: FindEntry = findEntry): Promise<Account> {
  const [user = "", group, ...rest] = written.split(":");
  if (rest.length > 0 || user === "" || group === "") {
    throw new RangeError(`runAs: found ${JSON.stringify(written)}, expected USER or USER:GROUP`);
  }
  const [name, , uid = numberOf(user), ownGid] = await fieldsOf("passwd", user, find);
  if (uid === undefined) throw missing("user", user);
  const gid = group === undefined ? ownGid : (await fieldsOf("group", group, find))[2] ?? numberOf(group);
  if (gid === undefined) {
    if (group !== undefined) throw missing("group", group);
    throw new RangeError(`runAs: found ${JSON.stringify(user)}, which is no user's number, expected USER:GROUP`);
  }
  if (Number(uid) === 0) throw new RangeError(`runAs: found ${JSON.stringify(user)}, expected a user other than root`);
  return { name: name || undefined, uid: Number(uid), gid: Number(gid) };
}

async function fieldsOf(database: "passwd" | "group", key: string, find: FindEntry): Promise<string[]> {
  return (await find(database, key))?.split(":") ?? [];
}

function numberOf(text: string): string | undefined {
  return /^\d{1,9}$/.test(text) ? text : undefined;
}

function missing(kind: string, name: string): RangeError {
  return new RangeError(`runAs: found ${JSON.stringify(name)}, expected a ${kind} of this system`);
}

async function findEntry(database: "passwd" | "group", key: string): Promise<string | undefined> {
  const text = await readFile(`/etc/${database}`, "utf8").catch(() => "");
  const entry = text.split("\n").find((line) => {
    const [name, , id] = line.split(":");
    return name === key || id === key;
  });
  return entry ?? await askDirectory(database, key);
}

function askDirectory(database: string, key: string): Promise<string | undefined> {
  if (!/^\w/.test(key)) return Promise.resolve(undefined); // it would be a flag
  return new Promise((resolve) => {
    execFile("getent", [database, key], (error, out) => resolve(error === null ? out.split("\n")[0] : undefined));
  });
}
