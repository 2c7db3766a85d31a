/**
 * Bursts: reading on through the descriptor where Bun's callback brought a full chunk.
 *
 * Bun copies each chunk, of half a MiB at most, into a new buffer. On a loaded relay that is half of the cost; `recv`
 * into one shared buffer, written out in the same turn, is not. `bun:ffi` is built into Bun. Where it is missing, or
 * the system is not Linux with glibc, or `SOCKS_BUN_FFI=0` is in the environment, relays do without.
 *
 * @module
 */

import process from "node:process";

/** A chunk this long says that there is more where it came from. */
export const BURST_FROM: number = 64 * 1024;

/** How many reads before other connections get their turn. */
const ROUNDS = 16;
const SIZE = 1024 * 1024;
const MSG_DONTWAIT = 0x40;
const FIONREAD = 0x541b;

/** What is called of the system's library. */
interface Calls {
  recv(descriptor: number, into: Uint8Array, length: number, flags: number): number;
  ioctl(descriptor: number, request: number, into: Int32Array): number;
}

interface BunFfi {
  dlopen(
    library: string,
    symbols: Record<keyof Calls, { args: readonly string[]; returns: string }>,
  ): { symbols: Calls };
}

const buffer = new Uint8Array(SIZE);
/** How many bytes wait to be read. */
const waiting = new Int32Array(1);
const calls = await loadCalls();

/** Whether `bytes` lie in memory that the next burst writes over. */
export function isOfBurst(bytes: Uint8Array): boolean {
  return bytes.buffer === buffer.buffer;
}

/**
 * Reads on while full reads come.
 *
 * An end or an error is left where it is, for the event loop to come across: `recv` would take a reset away with its
 * error, and what followed would look like an end in order. So it is asked for what is there and no more.
 *
 * @param descriptor An open socket.
 * @param take Takes what was read, good until it returns. `false` stops.
 * @returns Whether `take` never said `false`.
 */
export function burst(descriptor: number, take: (bytes: Uint8Array) => boolean): boolean {
  if (calls === undefined || descriptor < 0) return true;
  for (let round = 0; round < ROUNDS; round++) {
    if (calls.ioctl(descriptor, FIONREAD, waiting) < 0 || waiting[0]! <= 0) return true;
    const length = calls.recv(descriptor, buffer, SIZE, MSG_DONTWAIT);
    if (length <= 0) return true;
    if (!take(length === SIZE ? buffer : buffer.subarray(0, length))) return false;
    if (length < BURST_FROM) return true;
  }
  return true;
}

async function loadCalls(): Promise<Calls | undefined> {
  if (process.platform !== "linux" || process.env.SOCKS_BUN_FFI === "0") return undefined;
  try {
    const name = "bun:ffi"; // Deno and bundlers need not know it
    const { dlopen }: BunFfi = await import(name);
    const recv = { args: ["i32", "ptr", "usize", "i32"], returns: "i32" };
    const ioctl = { args: ["i32", "u64", "ptr"], returns: "i32" };
    return dlopen("libc.so.6", { recv, ioctl }).symbols;
  } catch {
    return undefined;
  }
}
