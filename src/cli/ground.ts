/**
 * What must be in order before anything is served.
 *
 * @module
 */

import process from "node:process";
import type { Config } from "../config/config.ts";
import { type Account, findAccount } from "./account.ts";
import { type InheritedListener, takeInheritedSockets } from "./inherited_sockets.ts";
import { ProgramLog } from "./program_log.ts";
import { switchProblem, titleOf } from "./run_as.ts";
import type { Terminal } from "./terminal.ts";

/** What is in order. */
export interface Ground {
  /** The user to become, if any. */
  readonly account: Account | undefined;
  /** Sockets to serve in place of those that the settings name, if there are any. */
  readonly inherited: readonly InheritedListener[];
  /** The log, open. */
  readonly log: ProgramLog;
}

/**
 * Sees to it: finds the user to become, takes sockets that were handed down and opens the log.
 *
 * @param config The settings.
 * @param terminal Where the program was started.
 * @throws {RangeError} If a setting makes no sense here.
 * @throws {Error} If something cannot be done.
 */
export async function prepareGround(config: Config, terminal: Terminal): Promise<Ground> {
  const account = config.runAs === undefined ? undefined : await findAccount(config.runAs);
  const problem = account === undefined ? undefined : switchProblem(account);
  if (problem !== undefined) throw new Error(`Cannot run as "${titleOf(account!)}": ${problem}`);
  const inherited = takeInheritedSockets(process.env, process.pid);
  const log = new ProgramLog(terminal);
  log.prepare(config).use();
  return { account, inherited, log };
}
