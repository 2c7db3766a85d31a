/**
 * Signals without a debugger.
 *
 * @module
 */

import { setTimeout as sleep } from "node:timers/promises";

/** How often, and how many milliseconds apart, it is looked whether the debugger has come. */
const LOOKS = 100;
const INTERVAL = 10;

/** The part of `node:inspector` that is used. */
interface Inspector {
  url(): string | undefined;
  close(): void;
}

/**
 * Makes what must be called when SIGUSR1 comes. From 2.9.2 on, Deno opens its debugger then, to all who are on this
 * machine, listener or not; it is closed as soon as it is there. On other runtimes a listener is enough.
 *
 * @returns A function to call first of all.
 */
export async function debuggerGuard(): Promise<() => void> {
  if (!("Deno" in globalThis)) return () => {};
  const { default: inspector } = await import("node:inspector") as { default: Inspector };
  return () => {
    if (inspector.url() === undefined) void closeWhenOpen(inspector); // or else somebody asked for it: --inspect
  };
}

async function closeWhenOpen(inspector: Inspector): Promise<void> {
  for (let look = 0; look < LOOKS; look++) {
    await sleep(INTERVAL);
    if (inspector.url() !== undefined) return inspector.close();
  }
}
