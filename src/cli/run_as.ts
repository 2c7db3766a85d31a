/**
 * Giving up the rights of root.
 *
 * @module
 */

import { accessSync, constants, readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Account } from "./account.ts";

/**
 * Says why this process cannot become a user, as far as that can be known before.
 *
 * @param account The user.
 * @returns The reason, or `undefined` if there is none.
 */
export function switchProblem(account: Account): string | undefined {
  if (process.setuid === undefined || process.geteuid === undefined) return "this system knows no users";
  if (process.geteuid() === 0 || isAlready(account)) return undefined;
  return `the program runs as user ${process.geteuid()}, expected root`;
}

function isAlready({ uid, gid }: Account): boolean {
  return process.getuid?.() === uid && process.geteuid?.() === uid && process.getgid?.() === gid &&
    process.getegid?.() === gid;
}

/**
 * Becomes a user, for good: its groups, its group, then itself. Whatever was opened before stays open.
 *
 * @param account The user.
 * @throws {Error} If that cannot be done, or a way back is left. The process must not go on then.
 */
export function switchTo(account: Account): void {
  if (isAlready(account)) return;
  try {
    setGroups(account);
    process.setgid!(account.gid);
    process.setuid!(account.uid);
  } catch (error) {
    throw new Error(`Cannot run as "${titleOf(account)}": ${error instanceof Error ? error.message : String(error)}`);
  }
  const problem = returnProblem(account) ?? readProblem();
  if (problem !== undefined) throw new Error(`Cannot run as "${titleOf(account)}": ${problem}`);
}

/**
 * Writes who it is.
 *
 * @param account The user.
 */
export function titleOf({ name, uid }: Account): string {
  return name ?? String(uid);
}

/** What Node and Bun have for it. */
interface Groups {
  initgroups?(user: string, group: number): void;
  setgroups?(groups: readonly number[]): void;
}

/** The user's groups in place of root's. */
function setGroups({ name, gid }: Account): void {
  const groups = process as Groups;
  if (groups.initgroups === undefined || groups.setgroups === undefined) setGroupsOnDeno(name, gid);
  else if (name === undefined) groups.setgroups([gid]);
  else groups.initgroups(name, gid);
}

/** The part of `Deno` that is used; other runtimes load this file as well. */
interface ForeignFunctions {
  dlopen(path: string, symbols: Record<string, { parameters: string[]; result: string }>): {
    readonly symbols: Record<string, (...args: unknown[]) => number>;
    close(): void;
  };
}

/** Deno has no function for it. The C library's acts on all threads. */
function setGroupsOnDeno(name: string | undefined, gid: number): void {
  const { Deno } = globalThis as unknown as { Deno: ForeignFunctions };
  const path = process.platform === "darwin" ? "/usr/lib/libSystem.B.dylib" : "libc.so.6";
  const library = Deno.dlopen(path, {
    initgroups: { parameters: ["buffer", "u32"], result: "i32" },
    setgroups: { parameters: ["usize", "buffer"], result: "i32" },
  });
  const { initgroups, setgroups } = library.symbols;
  const failed = name === undefined
    ? setgroups!(1n, new Uint32Array([gid]))
    : initgroups!(new TextEncoder().encode(`${name}\0`), gid);
  library.close();
  if (failed !== 0) throw new Error("its groups cannot be taken on");
}

/** Whether anything of root is left, and whether it can be had again. */
function returnProblem({ uid, gid }: Account): string | undefined {
  const isUser = process.getuid!() === uid && process.geteuid!() === uid;
  const isGroup = process.getgid!() === gid && process.getegid!() === gid;
  if (!isUser || !isGroup || !threadsAre(uid, gid)) return "a part of the program stayed who it was";
  for (const back of [() => process.setuid!(0), () => process.seteuid!(0)]) {
    try {
      back();
    } catch {
      continue;
    }
    return "the program could become root again";
  }
  return undefined;
}

/** On Linux each thread has ids and capabilities of its own. */
function threadsAre(uid: number, gid: number): boolean {
  if (process.platform !== "linux") return true;
  const four = (id: number) => Array(4).fill(id).join("\t");
  return readdirSync("/proc/self/task").every((thread) => {
    const status = readFileSync(`/proc/self/task/${thread}/status`, "utf8");
    return status.includes(`\nUid:\t${four(uid)}\n`) && status.includes(`\nGid:\t${four(gid)}\n`) &&
      /\nCapPrm:\t0+\n/.test(status);
  });
}

/** Parts of the program are loaded when they are needed. */
function readProblem(): string | undefined {
  if (!import.meta.url.startsWith("file:")) return undefined;
  const path = fileURLToPath(import.meta.url);
  try {
    accessSync(path, constants.R_OK);
    return undefined;
  } catch {
    return `it may not read the program's files, such as ${path}`;
  }
}
