/**
 * Signals that do not end the server.
 *
 * @module
 */

import process from "node:process";
import { isatty } from "node:tty";
import { debuggerGuard } from "./debugger_guard.ts";

/** What signals ask for. */
export interface SignalActions {
  /** SIGHUP: load the settings again. */
  readonly reload: () => void;
  /** SIGUSR1 or SIGUSR2: open the log file anew. */
  readonly reopen: () => void;
}

/**
 * Listens to signals, where the system has them. SIGUSR1 has a listener even if nothing is to be done: without one, Node
 * would open its debugger to all who are on this machine. SIGUSR2 does the same and is no runtime's own.
 *
 * @param actions What they ask for.
 * @param isLive Whether the program was started from a terminal: SIGHUP means then that it is gone, if it is.
 * @returns A function that ends it.
 */
export async function listenToSignals({ reload, reopen }: SignalActions, isLive: boolean): Promise<() => void> {
  if (process.platform === "win32") return () => {};
  const guard = await debuggerGuard();
  const listeners: readonly [NodeJS.Signals, () => void][] = [
    ["SIGHUP", () => isLive && !isatty(process.stderr.fd) ? endWithoutTerminal() : reload()],
    ["SIGUSR1", () => {
      guard();
      reopen();
    }],
    ["SIGUSR2", reopen],
  ];
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
}

/** Node aborts, with a core, where it cannot put a terminal in order that is gone; by then all is done. */
function endWithoutTerminal(): void {
  process.on("exit", () => process.kill(process.pid, "SIGKILL"));
  process.kill(process.pid, "SIGTERM");
}
