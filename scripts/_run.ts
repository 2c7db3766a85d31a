/** How a command ended. */
export interface RunResult {
  /** The exit code; 128 and the signal's number when a signal ended it. */
  readonly code: number;
  /** Standard output, then standard error. */
  readonly output: string;
  /** Standard output alone. */
  readonly stdout: string;
  /** Whether the time limit ended it. */
  readonly timedOut: boolean;
}

/** Options for {@linkcode run}. */
export interface RunOptions {
  /** The folder to run in. */
  readonly cwd?: string;
  /** Variables to set besides the inherited ones. */
  readonly env?: Record<string, string>;
  /**
   * The time limit in milliseconds.
   *
   * @default {600000}
   */
  readonly timeoutMs?: number;
  /** Ends the command with SIGTERM. */
  readonly signal?: AbortSignal;
}

/** The process groups that run now. Each child leads its own, so that nothing it started outlives it. */
const groups = new Set<number>();

function killGroup(pid: number): void {
  try {
    // On Windows there are no groups to address; the child alone has to do.
    Deno.kill(Deno.build.os === "windows" ? pid : -pid, "SIGKILL");
  } catch {
    // Nothing is left of it.
  }
}

/** What to do when the script itself is interrupted. */
const cleanups: (() => void)[] = [];

/** Has something done when the script is interrupted, once the commands it runs are ended. */
export function onInterrupt(cleanup: () => void): void {
  cleanups.push(cleanup);
}

if (Deno.build.os !== "windows") {
  for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const) {
    Deno.addSignalListener(signal, () => {
      for (const pid of groups) killGroup(pid);
      for (const cleanup of cleanups) {
        try {
          cleanup();
        } catch {
          // It is gone already.
        }
      }
      Deno.exit(code);
    });
  }
}
// A signal listener keeps no process alive that has come to its end.

/** Runs a command to its end, with no standard input, and collects its output. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const child = new Deno.Command(command, {
    args: [...args],
    ...options.cwd === undefined ? {} : { cwd: options.cwd },
    ...options.env === undefined ? {} : { env: options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  groups.add(child.pid);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, options.timeoutMs ?? 600_000);
  const abort = () => child.kill("SIGTERM");
  options.signal?.addEventListener("abort", abort);
  try {
    // A grandchild that outlives the child keeps the pipes open: it is ended before the output is awaited.
    const output = child.output();
    await child.status;
    killGroup(child.pid);
    const { code, stdout, stderr } = await output;
    const decoder = new TextDecoder();
    const text = decoder.decode(stdout);
    return { code, stdout: text, output: text + decoder.decode(stderr), timedOut };
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", abort);
    groups.delete(child.pid);
  }
}

/** Runs a command that must succeed, and returns its standard output. */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  let result: RunResult;
  try {
    result = await run(command, args, options);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new Error(`Cannot run "${command}": it is not on the PATH`, { cause });
  }
  if (result.code === 0) return result;
  throw new Error(`Cannot run "${[command, ...args].join(" ")}": exit code ${result.code}\n${result.output.trim()}`);
}
