/**
 * The end of standard output before that of the process.
 *
 * @module
 */

import { closeSync, fstatSync, openSync, readdirSync, readlinkSync } from "node:fs";
import process from "node:process";

/**
 * Closes standard output, so that its reader sees the end. What was written must be out.
 *
 * @returns Whether it is closed: not everywhere can it be.
 */
export function closeStandardOutput(): boolean {
  if (process.platform === "win32") return false;
  try {
    // A socket can be standard input as well, and is open until both are closed.
    if (fstatSync(1).isSocket()) return shutDown();
    if ("Deno" in globalThis) return closeOnDeno();
    closeSync(1);
    // What is opened next would take its number, and be written to by whoever means standard output.
    openSync("/dev/null", "w");
    return true;
  } catch {
    return false;
  }
}

/** The part of `Deno` that is used; other runtimes load this file as well. */
interface DenoFunctions {
  dlopen(path: string, symbols: Record<string, { parameters: string[]; result: string }>): {
    readonly symbols: Record<string, (...args: number[]) => number>;
  };
}

/** The part of `bun:ffi` that is used. */
interface BunFunctions {
  dlopen(path: string, symbols: Record<string, { args: string[]; returns: string }>): {
    readonly symbols: Record<string, (...args: number[]) => number>;
  };
}

/** A function of the C library that takes numbers. Deno and Bun have none of their own for what is done here. */
function systemCall(name: string, parameters: number): (...args: number[]) => number {
  const path = process.platform === "darwin" ? "/usr/lib/libSystem.B.dylib" : "libc.so.6";
  const numbers = Array(parameters).fill("i32");
  if ("Deno" in globalThis) {
    const { Deno } = globalThis as unknown as { Deno: DenoFunctions };
    return Deno.dlopen(path, { [name]: { parameters: numbers, result: "i32" } }).symbols[name]!;
  }
  const { dlopen } = process.getBuiltinModule("bun:ffi") as unknown as BunFunctions;
  return dlopen(path, { [name]: { args: numbers, returns: "i32" } }).symbols[name]!;
}

const SHUT_WR = 1;

function shutDown(): boolean {
  if ("Deno" in globalThis || "Bun" in globalThis) return systemCall("shutdown", 2)(1, SHUT_WR) === 0;
  process.stdout.end();
  return true;
}

/** Deno closes what it has in a descriptor's place, but neither the descriptor nor the copy that it made of it. */
function closeOnDeno(): boolean {
  if (process.platform !== "linux") return false;
  const of = (descriptor: string): string => readlinkSync(`/proc/self/fd/${descriptor}`);
  const output = of("1");
  // What is standard error or input as well, as on a terminal, may have copies that are meant for that.
  if (output === of("2") || output === of("0")) return false;
  const ours = readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return of(descriptor) === output;
    } catch {
      return false; // the one that this folder was read by
    }
  });
  // Standard error takes their place: what is opened next would have their numbers, and be written to by mistake.
  const duplicate = systemCall("dup2", 2);
  return ours.every((descriptor) => duplicate(2, Number(descriptor)) >= 0);
}
