import { run } from "./_run.ts";

/** A runtime to test on. */
export interface Runtime {
  readonly name: string;
  readonly kind: "deno" | "bun" | "node";
  /** The path of the program itself; undefined if it is not installed. */
  readonly binary: string | undefined;
}

/**
 * The path of the real program behind a command. Tests send signals to servers, and a wrapper (npx, a version manager's
 * shim) would take the signal and leave the server running.
 */
async function realBinary(command: string): Promise<string | undefined> {
  try {
    const { code, stdout } = await run(command, ["-e", "console.log(process.execPath)"], { timeoutMs: 120_000 });
    return code === 0 ? await Deno.realPath(stdout.trim()) : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The runtimes: the variables DENO, BUN, NODE and NODE24 name other programs than the PATH does. */
export async function findRuntimes(): Promise<Runtime[]> {
  const runtimes: Runtime[] = [
    { name: "Deno", kind: "deno", binary: Deno.env.get("DENO") || Deno.execPath() },
    { name: "Bun", kind: "bun", binary: await realBinary(Deno.env.get("BUN") || "bun") },
    { name: "Node", kind: "node", binary: await realBinary(Deno.env.get("NODE") || "node") },
  ];
  const node24 = Deno.env.get("NODE24");
  if (node24) runtimes.push({ name: "Node 24", kind: "node", binary: await realBinary(node24) });
  return runtimes;
}
