/**
 * What happens when the program itself is at fault.
 *
 * @module
 */

import process from "node:process";
import type { Logger } from "@logtape/logtape";
import { printable } from "../config/printable.ts";

/**
 * Logs faults that nothing caught.
 *
 * An exception that nobody caught leaves its code halfway through, with nobody to say what is still true: the program
 * logs it and exits with 1, for a supervisor to start it again. A rejected promise that nobody waited for broke off one
 * task at a place that was ready to wait: it is logged, and the sessions of everybody else go on. Neither is silent,
 * whatever the log level.
 *
 * @param logger Where to.
 */
export function watchFaults(logger: Logger): void {
  process.on("uncaughtException", (error) => {
    logger.error("{line}", { line: `Uncaught exception: ${describeFault(error)}` });
    process.exit(1);
  });
  process.on("unhandledRejection", (reason) => {
    logger.error("{line}", { line: `Unhandled rejection: ${describeFault(reason)}` });
  });
}

/**
 * Writes a thrown value with its stack, which is for whoever mends it.
 *
 * @param thrown Anything.
 * @returns One or more lines, printable.
 */
export function describeFault(thrown: unknown): string {
  const text = thrown instanceof Error ? thrown.stack ?? `${thrown.name}: ${thrown.message}` : String(thrown);
  return text.split("\n").map(printable).join("\n");
}
