/**
 * How signals end the server.
 *
 * @module
 */

import process from "node:process";
import type { Server } from "../server/server.ts";

/** How long sessions may go on after the first signal if nobody says otherwise, in milliseconds. */
export const DRAIN_TIME = 30_000;

/** What the operator hears of the end, and has to say to it. */
export interface StopOptions {
  /** Takes a line for the operator. */
  readonly out: (line: string) => void;
  /**
   * How long sessions may go on after the first signal, in milliseconds, or `Infinity`; asked when it comes.
   *
   * @default {() => DRAIN_TIME}
   */
  readonly drainTime?: (() => number) | undefined;
  /** Called when the first signal comes. */
  readonly stopping?: ((drainTime: number) => void) | undefined;
}

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
 * @param options What the operator hears of it, and has to say.
 * @returns The exit code: 0 after an end in order, 130 or 143 after a second signal, 1 if nobody asked for the end.
 */
export function untilStopped(server: Server, options: StopOptions): Promise<number> {
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
      if (sessions > 0) {
        options.out(`Draining ${sessions} ${sessions === 1 ? "session" : "sessions"}, again to end at once`);
      }
    };
    const stop = (signal: string): void => {
      if (!isStopping) {
        code = 0;
        isStopping = true;
        announcement = setTimeout(announce, TOGETHER);
        const time = options.drainTime?.() ?? DRAIN_TIME;
        options.stopping?.(time);
        server.drain(time === Infinity ? undefined : time).then(finish, finish);
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
