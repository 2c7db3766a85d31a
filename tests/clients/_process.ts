/**
 * Runs client programs as child processes which end with their case at the latest.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { Buffer } from "node:buffer";
import process from "node:process";

/** Options for {@linkcode run}. */
export interface RunOptions {
  /** Ends the program, with everything it started, when it aborts. */
  readonly signal: AbortSignal;
  /** What the program reads; its standard input ends after it. */
  readonly input?: Uint8Array | string;
  /** Variables set in addition to the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** The working directory. */
  readonly cwd?: string;
  /** Whether what the program left running is ended when the program itself ends. */
  readonly endGroup?: boolean;
}

/** How a program ended. */
export interface Finished {
  /** The exit code; 128 and above when a signal ended it. */
  readonly code: number;
  /** What it wrote to standard output. */
  readonly bytes: Uint8Array;
  /** The same as text. */
  readonly stdout: string;
  /** What it wrote to standard error. */
  readonly stderr: string;
}

/** Variables which would change what clients do. */
const CLEARED = ["http_proxy", "https_proxy", "all_proxy", "no_proxy", "ftp_proxy"]
  .flatMap((name) => [name, name.toUpperCase()]);

/** The environment that programs run in. */
export function environment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !CLEARED.includes(name)) env[name] = value;
  }
  return { ...env, LC_ALL: "C.UTF-8", ...extra };
}

/** How long programs can outlive a test run that was itself killed, in seconds; longer than any case takes. */
const LIMIT_S = 900;

/** The exit code of what was killed. */
const KILLED = 137;

/** Starts a program in a process group of its own, so that it ends together with its children. */
function spawnBounded(command: readonly string[], env?: Readonly<Record<string, string>>, cwd?: string) {
  return spawn("timeout", ["-s", "KILL", `${LIMIT_S}`, ...command], {
    stdio: ["pipe", "pipe", "pipe"],
    env: environment(env),
    detached: true,
    ...cwd === undefined ? {} : { cwd },
  });
}

/** Runs a program to its end. */
export async function run(command: readonly string[], options: RunOptions): Promise<Finished> {
  options.signal.throwIfAborted();
  const child = spawnBounded(command, options.env, options.cwd);
  const stop = () => killGroup(child);
  options.signal.addEventListener("abort", stop);
  const out: Uint8Array[] = [];
  const err: Uint8Array[] = [];
  child.stdout.on("data", (chunk: Uint8Array) => out.push(chunk));
  child.stderr.on("data", (chunk: Uint8Array) => err.push(chunk));
  // A program that ends without reading its input is judged by its exit code.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("exit", () => options.endGroup && killGroup(child));
      child.once("close", (code) => resolve(code ?? KILLED));
    });
    options.signal.throwIfAborted();
    const bytes = concat(out);
    return { code, bytes, stdout: text(bytes), stderr: text(concat(err)) };
  } finally {
    options.signal.removeEventListener("abort", stop);
  }
}

/** A program that runs while the case goes on; disposing of it ends it together with its children. */
export interface Running extends AsyncDisposable {
  /** Everything it wrote so far, standard output and standard error together. */
  output(): string;
  /** Waits until its output matches. */
  waitForOutput(pattern: RegExp): Promise<void>;
  /** Writes to its standard input, ends that, and waits for the program's end. */
  end(input: string): Promise<{ readonly code: number; readonly output: string }>;
}

/** Starts a program and leaves its standard input open. */
export function start(command: readonly string[], options: { readonly signal: AbortSignal }): Running {
  const child = spawnBounded(command);
  let output = "";
  const waiting = new Set<() => void>();
  const collect = (chunk: Uint8Array) => {
    output += text(chunk);
    for (const check of waiting) check();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  child.stdin.on("error", () => {});
  const closed = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? KILLED));
  });
  closed.catch(() => {});
  const waitForOutput = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const settle = (problem?: unknown) => {
        waiting.delete(check);
        options.signal.removeEventListener("abort", aborted);
        if (problem === undefined) resolve();
        else reject(new Error(`Waited in vain for ${pattern}: ${problem}\n${output}`));
      };
      const aborted = () => settle("the deadline passed");
      const check = () => pattern.test(output) && settle();
      waiting.add(check);
      options.signal.addEventListener("abort", aborted);
      closed.then((code) => settle(`"${command[0]}" ended with ${code}`), settle);
      check();
    });
  return {
    output: () => output,
    waitForOutput,
    end: async (input) => {
      child.stdin.end(input);
      return { code: await closed, output };
    },
    [Symbol.asyncDispose]: async () => {
      killGroup(child);
      await closed.catch(() => {});
    },
  };
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // The whole group has ended already.
  }
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks));
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
