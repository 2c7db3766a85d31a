/**
 * How signals end the server.
 *
 * @module
 */

import process from "node:process";
import type { Server } from "../server/server.ts";

/** How long sessions may go on after the first signal, in milliseconds. */
export const DRAIN_TIME = 30_000;

/**
 * Signals that come together are one: under npm and npx, Ctrl+C reaches the program twice, from the terminal and from
 * its parent. The line that offers to end at once comes after this time, in milliseconds, so an answer to it counts.
 */
const TOGETHER = 100;

/** How long the end of sessions may take after the second signal; the end of the process then ends what hangs. */
const END_TIME = 200;

const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Waits for the server to end, as signals command: the first drains, a second ends the sessions at once.
 *
 * @param server The server.
 * @param out Takes a line for the operator.
 * @returns The exit code: 0 after an end in order, 130 or 143 after a second signal, 1 if nobody asked for the end.
 */
export function untilStopped(server: Server, out: (line: string) => void): Promise<number> {
  return new Promise((resolve) => {
    let code = 1;
    let isStopping = false;
    let isTogether = true;
    let announcement: ReturnType<typeof setTimeout> | undefined;

    const finish = (): void => {
      clearTimeout(announcement);
      for (const signal of Object.keys(SIGNALS)) process.off(signal, stop);
      resolve(code);
    };
    const announce = (): void => {
      isTogether = false; // by the timer and not by the clock, which may disagree: an answer to this line must count
      const { sessions } = server;
      if (sessions > 0) out(`Draining ${sessions} ${sessions === 1 ? "session" : "sessions"}, again to end at once`);
    };
    const stop = (signal: string): void => {
      if (!isStopping) {
        code = 0;
        isStopping = true;
        announcement = setTimeout(announce, TOGETHER);
        server.drain(DRAIN_TIME).then(finish, finish);
      } else if (!isTogether) {
        code = SIGNALS[signal as keyof typeof SIGNALS];
        server.close().then(finish, finish);
        setTimeout(finish, END_TIME);
      }
    };
    for (const signal of Object.keys(SIGNALS)) process.on(signal, stop);
    server.closed.then(finish, finish);
  });
}
