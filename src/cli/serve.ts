/**
 * The command that serves.
 *
 * @module
 */

import { EXPOSURE_ADVICE } from "../config/load.ts";
import { printable } from "../config/printable.ts";
import { NetError } from "../net/errors.ts";
import { watchFaults } from "./faults.ts";
import { type Ground, prepareGround } from "./ground.ts";
import { listenProblem } from "./listen_problem.ts";
import { startProgram } from "./program.ts";
import type { ServeStart } from "./start.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Serves until it is stopped.
 *
 * @param start The settings.
 * @param terminal Where it was started.
 * @returns The exit code.
 */
export async function runServer(start: ServeStart, terminal: Terminal): Promise<number> {
  const { config } = start;
  let ground: Ground;
  try {
    ground = await prepareGround(config, terminal);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    terminal.err(printable(error.message));
    return error instanceof RangeError ? 2 : 1;
  }
  watchFaults(ground.log.logger);
  try {
    const program = await startProgram(start, terminal, ground);
    return await program.untilStopped();
  } catch (error) {
    if (error instanceof NetError) {
      terminal.err(listenProblem(error));
      return 1;
    }
    // A listener whose name leads to another place than loopback: only the server could tell.
    if (error instanceof TypeError && /^Cannot listen .* without users/.test(error.message)) {
      terminal.err(`${printable(error.message)}; ${EXPOSURE_ADVICE}`);
      return 2;
    }
    if (error instanceof TypeError && /^Cannot forward from .* without "open"/.test(error.message)) {
      terminal.err(`${printable(error.message)}; say so on purpose (open: true), or listen on loopback`);
      return 2;
    }
    // The store cannot be opened, or the user that it runs as not become.
    if (error instanceof Error && error.constructor === Error && error.message.startsWith("Cannot ")) {
      terminal.err(printable(error.message));
      return 1;
    }
    throw error;
  }
}
