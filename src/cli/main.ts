/**
 * The entry of the program.
 *
 * @module
 */

import process from "node:process";
import { setTimeout } from "node:timers";
import { describeFault } from "./faults.ts";
import { run } from "./run.ts";
import { runServer } from "./serve.ts";
import { outliveReaders, terminal } from "./terminal.ts";

/** How long a process with nothing left to do may take to end, in milliseconds. */
const LINGER = 50;

/**
 * Runs the command line program; the exit code of the process says how it went.
 *
 * @param args What follows the program's name; by default what this process was given.
 */
export async function main(args: readonly string[] = process.argv.slice(2)): Promise<void> {
  outliveReaders();
  let code: number;
  try {
    code = await run(args, terminal, { serve: runServer });
  } catch (error) {
    terminal.err(`Cannot go on: ${describeFault(error)}`);
    code = 1;
  }
  process.exitCode = code;
  // By then all that is written has left; what still hangs must not hold the process.
  setTimeout(() => process.exit(code), LINGER).unref();
}
