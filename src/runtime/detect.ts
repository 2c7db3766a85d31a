import type { Runtime } from "./runtime.ts";

/**
 * The adapter for the runtime that executes this, loaded when it is asked for.
 *
 * @throws {TypeError} On a runtime without sockets of its own.
 */
export async function currentRuntime(): Promise<Runtime> {
  const present = globalThis as { Deno?: unknown; Bun?: unknown; process?: { versions?: { node?: string } } };
  if (present.Deno !== undefined) return (await import("./deno.ts")).deno;
  if (present.Bun !== undefined) return (await import("./bun.ts")).bun;
  if (present.process?.versions?.node !== undefined) return (await import("./node.ts")).node;
  throw new TypeError("Cannot tell the runtime: pass a Runtime");
}
