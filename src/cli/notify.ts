/**
 * What the service manager is told (`sd_notify(3)`).
 *
 * @module
 */

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import process from "node:process";

/** Tells the service manager how the service is. Nothing that goes wrong there harms the service. */
export interface Notifier {
  /** The service serves. */
  ready(status: string): Promise<void>;
  /** The service loads its settings; `ready` ends it. */
  reloading(): Promise<void>;
  /**
   * The service is about to end.
   *
   * @param status What it still does.
   * @param time How long that may take at most, in milliseconds; `Infinity` if nobody knows.
   */
  stopping(status: string, time: number): Promise<void>;
  /** The service is as before, and there is something to say. */
  status(status: string): Promise<void>;
}

/** Sends variables such as `READY=1`. */
export type Send = (variables: readonly string[]) => Promise<void>;

/** What the end of the process takes beyond the end of its sessions, in milliseconds. */
const MARGIN = 5_000;

/**
 * Makes a notifier.
 *
 * @param env The environment; without `NOTIFY_SOCKET` in it nobody is told. It is taken out: what this process starts
 * must not speak for it.
 * @param complain Takes what goes wrong.
 * @param send Sends; by default with the program `systemd-notify`, since Node has no datagrams over UNIX sockets.
 */
export function notifier(
  env: Record<string, string | undefined>,
  complain: (problem: string) => void,
  send?: Send,
): Notifier {
  const { NOTIFY_SOCKET: socket } = env;
  delete env.NOTIFY_SOCKET;
  const pass = socket === undefined ? undefined : send ?? ((variables) => systemdNotify(socket, variables));
  let last: Promise<void> = Promise.resolve();
  /** One after the other: "stopping" must not overtake "ready". */
  const tell = (variables: () => readonly string[] | Promise<readonly string[]>): Promise<void> => {
    if (pass === undefined) return last;
    last = last.then(async () => pass(await variables())).catch((error: unknown) => {
      complain(`Cannot notify the service manager: ${error instanceof Error ? error.message : String(error)}`);
    });
    return last;
  };
  return {
    ready: (status) => tell(() => ["READY=1", `STATUS=${line(status)}`]),
    reloading: () => tell(async () => ["RELOADING=1", `MONOTONIC_USEC=${await monotonicMicros()}`]),
    stopping: (status, time) => {
      const extension = Math.min(Math.ceil((time + MARGIN) * 1000), Number.MAX_SAFE_INTEGER);
      return tell(() => ["STOPPING=1", `STATUS=${line(status)}`, `EXTEND_TIMEOUT_USEC=${extension}`]);
    },
    status: (status) => tell(() => [`STATUS=${line(status)}`]),
  };
}

/** A variable is a line. */
function line(text: string): string {
  return text.replaceAll("\n", " ");
}

/** It speaks in the name of its parent as far as it may; where we are not root that takes `NotifyAccess=all`. */
function systemdNotify(socket: string, variables: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, NOTIFY_SOCKET: socket }, timeout: MARGIN };
    execFile("systemd-notify", [...variables], options, (error, _out, err) => {
      if (error === null) resolve();
      else if (error.killed === true) reject(new Error(`no answer within ${MARGIN / 1000} s`));
      else reject(new Error(err.trim() || error.message));
    });
  });
}

/**
 * The clock that systemd compares with its own. Not every runtime's `hrtime` is that clock; the kernel tells it in
 * hundredths of a second, rounded down, and a time before the order to reload would be one of an earlier reload.
 */
async function monotonicMicros(): Promise<number> {
  const uptime = Number((await readFile("/proc/uptime", "utf8")).split(" ")[0]);
  return Math.round(uptime * 1e6) + 10_000;
}
