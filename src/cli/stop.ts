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
    let firstSignal: number | undefined;
    let announcement: ReturnType<typeof setTimeout> | undefined;

    const finish = (code: number): void => {
      clearTimeout(announcement);
      for (const signal of Object.keys(SIGNALS)) process.off(signal, stop);
      resolve(code);
    };
    const announce = (): void => {
      const { sessions } = server;
      if (sessions > 0) out(`Draining ${sessions} ${sessions === 1 ? "session" : "sessions"}, again to end at once`);
    };
    const stop = (signal: string): void => {
      if (firstSignal === undefined) {
        firstSignal = performance.now();
        announcement = setTimeout(announce, TOGETHER);
        server.drain(DRAIN_TIME).then(() => finish(0), () => finish(1));
      } else if (performance.now() - firstSignal >= TOGETHER) {
        // Not waited for long: what hangs is left to the end of the process.
        const code = SIGNALS[signal as keyof typeof SIGNALS];
        setTimeout(finish, 200, code);
        server.close().then(() => finish(code), () => finish(code));
      }
    };
    for (const signal of Object.keys(SIGNALS)) process.on(signal, stop);
    server.closed.then(() => finish(firstSignal === undefined ? 1 : 0), () => finish(1));
  });
}
