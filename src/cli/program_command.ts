/**
 * The command that runs this program once more.
 *
 * @module
 */

import process from "node:process";
import { fileURLToPath } from "node:url";

/** What is known of the process. */
export interface ProcessFacts {
  /** The program that runs: a runtime, or this program compiled. */
  readonly execPath: string;
  /** Its first arguments, as `process.argv` has them. */
  readonly argv: readonly string[];
  /** Flags of the runtime. */
  readonly execArgv: readonly string[];
  /** On Deno, the main module's URL and whether the program was compiled. */
  readonly deno?: { readonly mainModule: string; readonly isStandalone: boolean } | undefined;
}

/**
 * Says how this program is run, without arguments of its own.
 *
 * @param facts What is known of the process.
 * @returns Words; the first is an absolute path.
 */
export function programCommand(facts: ProcessFacts = processFacts()): readonly string[] {
  const { execPath, argv, execArgv, deno } = facts;
  if (deno !== undefined) {
    if (deno.isStandalone) return [execPath];
    const { mainModule } = deno;
    const script = mainModule.startsWith("file:") ? fileURLToPath(mainModule) : mainModule;
    return [execPath, "run", "-A", "--unstable-net", script];
  }
  const script = argv[1];
  // Compiled by Bun, the script lies in the program.
  if (script === undefined || /^(?:\/\$bunfs\/|\w:[\\/]~BUN)/.test(script)) return [execPath];
  return [execPath, ...execArgv, script];
}

/** The part of `Deno` that is used; other runtimes load this file as well. */
interface DenoFacts {
  readonly mainModule: string;
  readonly build: { readonly standalone?: boolean };
}

function processFacts(): ProcessFacts {
  const { execPath, argv, execArgv } = process;
  const { Deno: deno } = globalThis as { Deno?: DenoFacts };
  if (deno === undefined) return { execPath, argv, execArgv };
  return {
    execPath,
    argv,
    execArgv,
    deno: { mainModule: deno.mainModule, isStandalone: deno.build.standalone === true },
  };
}
