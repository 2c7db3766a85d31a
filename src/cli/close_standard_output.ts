/**
 * The end of standard output before that of the process.
 *
 * @module
 */

import { closeSync, openSync, readdirSync, readlinkSync } from "node:fs";
import process from "node:process";

/**
 * Closes standard output, so that its reader sees the end. What was written must be out.
 *
 * @returns Whether it is closed: not everywhere can it be.
 */
export function closeStandardOutput(): boolean {
  if (process.platform === "win32") return false;
  try {
    if ("Deno" in globalThis) return closeOnDeno();
    closeSync(1);
    plug(1);
    return true;
  } catch {
    return false;
  }
}

/** What is opened next takes numbers that are free, and would be written to by whoever means standard output. */
function plug(count: number): void {
  for (let i = 0; i < count; i++) openSync("/dev/null", "w");
}

/** The part of `Deno` that is used; other runtimes load this file as well. */
interface ForeignFunctions {
  dlopen(path: string, symbols: Record<string, { parameters: string[]; result: string }>): {
    readonly symbols: Record<string, (...args: unknown[]) => number>;
    close(): void;
  };
}

/** Deno closes what it has in a descriptor's place, but neither the descriptor nor the copy that it made of it. */
function closeOnDeno(): boolean {
  if (process.platform !== "linux") return false;
  const of = (descriptor: string): string => readlinkSync(`/proc/self/fd/${descriptor}`);
  const output = of("1");
  const ours = readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return descriptor !== "0" && descriptor !== "2" && of(descriptor) === output;
    } catch {
      return false; // the one that this folder was read by
    }
  });
  // Standard error goes to the same place, and so may a copy.
  if (output === of("2") || output === of("0")) return false;
  const { Deno } = globalThis as unknown as { Deno: ForeignFunctions };
  const library = Deno.dlopen("libc.so.6", { close: { parameters: ["i32"], result: "i32" } });
  for (const descriptor of ours) library.symbols.close!(Number(descriptor));
  plug(ours.length);
  library.close();
  return true;
}
