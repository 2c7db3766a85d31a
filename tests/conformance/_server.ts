/**
 * Starts the server as a real process on each runtime.
 *
 * Deno runs `mod.ts` of this repository; Bun and Node run the npm build. What cannot run here says why, so that its cases
 * can be reported as skipped. These variables change what is used:
 *
 * - `DENO`, `BUN`, `NODE`: the binaries (default: the running Deno, `bun` and `node` on the `PATH`);
 * - `SOCKS_NPM_DIR`: a folder where the npm build is installed as `node_modules/socks-server` (default: `npm/`);
 * - `SOCKS_RUNTIMES`: a comma-separated choice of the runtimes to test (default: all).
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** A runtime and the command that runs the server on it. */
export interface RuntimeUnderTest {
  /** What it is called in test names. */
  readonly name: "deno" | "bun" | "node";
  /** Whether the server can be started on it here. */
  readonly available: boolean;
  /** Why it is not available; empty when it is. */
  readonly reason: string;
  /** The command, without the server's own arguments. */
  readonly command: readonly string[];
}

/** Options for {@linkcode startServer} and {@linkcode runToExit}. */
export interface StartOptions {
  /** The limit of open file descriptors (`ulimit -n`). */
  readonly ulimitFiles?: number;
  /** Variables set in addition to the environment of the tests. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that runs the server's command, such as `["ip", "netns", "exec", "name"]`; it must `exec` it. */
  readonly prefix?: readonly string[];
  /**
   * Whether `--listen 127.0.0.1:0` is added to arguments that name no listener.
   *
   * @default {true}
   */
  readonly listen?: boolean;
  /**
   * How long the server may take to say where it listens, in milliseconds.
   *
   * @default {120000}
   */
  readonly timeoutMs?: number;
}

/** An address the server said it listens on. */
export interface ListeningAddress {
  /** The address without brackets; empty for a UNIX socket. */
  readonly host: string;
  /** The port; 0 for a UNIX socket. */
  readonly port: number;
  /** The path of a UNIX socket. */
  readonly path?: string;
}

/** A server process. */
export interface RunningServer extends AsyncDisposable {
  /** The first address it listens on. */
  readonly host: string;
  /** The port of the first address. */
  readonly port: number;
  /** Every address it listens on, in the order of its output. */
  readonly addresses: readonly ListeningAddress[];
  /** The process id. */
  readonly pid: number;
  /** Settles with the exit code when the process ends: 128 and the signal's number when a signal ended it. */
  readonly exited: Promise<number>;
  /** Everything it wrote so far, standard output and standard error together. */
  output(): string;
  /** Waits until the output from `since` on, as far as its last line has ended, holds a match. */
  waitForOutput(pattern: RegExp, options?: { readonly since?: number; readonly timeoutMs?: number }): Promise<string>;
  /** Sends a signal without waiting. */
  signal(signal: Signal): void;
  /**
   * Sends `signal` (SIGKILL by default: fast, nothing to wait for) and waits for the end.
   * After 28 seconds without an end it is killed and the promise rejects.
   */
  stop(signal?: "SIGTERM" | "SIGINT" | "SIGKILL"): Promise<number>;
  /** Its resident memory in KiB. */
  rssKiB(): number;
  /** How many file descriptors it has open. */
  openFiles(): number;
}

/** The root of this repository. */
export const repository: string = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/** The runtimes, in the order they are tested in. */
export const runtimes: readonly RuntimeUnderTest[] = [denoRuntime(), npmRuntime("bun"), npmRuntime("node")]
  .map(select);

function select(runtime: RuntimeUnderTest): RuntimeUnderTest {
  const chosen = process.env.SOCKS_RUNTIMES?.split(",").map((name) => name.trim()) ?? [];
  if (chosen.length === 0 || chosen.includes(runtime.name)) return runtime;
  return { ...runtime, available: false, reason: "not among SOCKS_RUNTIMES" };
}

function denoRuntime(): RuntimeUnderTest {
  const running = "Deno" in globalThis ? process.execPath : undefined;
  const binary = process.env.DENO || running || onPath("deno");
  const entry = join(repository, "mod.ts");
  if (binary === undefined) return unavailable("deno", "deno is not on the PATH");
  if (!existsSync(entry)) return unavailable("deno", "mod.ts does not exist");
  return { name: "deno", available: true, reason: "", command: [binary, "run", "-A", entry] };
}

function npmRuntime(name: "bun" | "node"): RuntimeUnderTest {
  const binary = process.env[name.toUpperCase()] || onPath(name);
  if (binary === undefined) return unavailable(name, `${name} is not on the PATH`);
  const installed = process.env.SOCKS_NPM_DIR;
  const folder = installed ? resolve(installed, "node_modules/socks-server") : join(repository, "npm");
  const manifestPath = join(folder, "package.json");
  if (!existsSync(manifestPath)) return unavailable(name, `the npm build is missing: ${manifestPath}`);
  const manifest = JSON.parse(readFileSync(manifestPath, "utf8")) as {
    bin?: string | Record<string, string>;
    dependencies?: Record<string, string>;
  };
  const bin = typeof manifest.bin === "string" ? manifest.bin : Object.values(manifest.bin ?? {})[0];
  if (bin === undefined || !existsSync(join(folder, bin))) {
    return unavailable(name, `the npm build has no program: ${manifestPath}`);
  }
  if (!installed) {
    const missing = Object.keys(manifest.dependencies ?? {}).filter((name) =>
      !existsSync(join(folder, "node_modules", name))
    );
    if (missing.length > 0) return unavailable(name, `npm/ needs npm install: ${missing.join(", ")} missing`);
  }
  return { name, available: true, reason: "", command: [binary, join(folder, bin)] };
}

function unavailable(name: RuntimeUnderTest["name"], reason: string): RuntimeUnderTest {
  return { name, available: false, reason, command: [] };
}

/** The path of a program on the `PATH`, or undefined. */
export function onPath(program: string): string | undefined {
  return (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, program)).find(existsSync);
}

/**
 * The shell that becomes the server. Before, it leaves a guard behind that reads our end of a pipe: a line means that the
 * server has ended and was seen to end; an end without a line means that the test run is gone, whatever ended it, and
 * kills the server.
 */
const GUARD = `
  if [ -n "$FILES" ]; then ulimit -n "$FILES"; fi
  unset FILES
  exec 3<&0
  ( trap "" INT TERM HUP; read -r line <&3 || kill -KILL $$ ) >/dev/null 2>&1 &
  exec "$@" 3<&- </dev/null
`;

function launch(runtime: RuntimeUnderTest, args: readonly string[], options: StartOptions) {
  if (!runtime.available) throw new Error(`Cannot start on "${runtime.name}": ${runtime.reason}`);
  const child: ChildProcess = spawn("sh", ["-c", GUARD, "sh", ...options.prefix ?? [], ...runtime.command, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", ...options.env, FILES: `${options.ulimitFiles ?? ""}` },
  });
  const listeners = new Set<() => void>();
  let text = "";
  const collect = (chunk: Uint8Array, decoder: TextDecoder) => {
    text += decoder.decode(chunk, { stream: true });
    for (const listener of listeners) listener();
  };
  const [out, err] = [new TextDecoder(), new TextDecoder()];
  child.stdout!.on("data", (chunk) => collect(chunk, out));
  child.stderr!.on("data", (chunk) => collect(chunk, err));
  child.stdin!.on("error", () => {});
  const exited = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      child.stdin!.end("\n");
      resolve(code ?? 128 + (SIGNALS[signal as Signal] ?? 0));
    });
  });
  // The streams may hold output after the exit; unless something else holds them open, the output is whole when they end.
  const closed = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("exit", () => setTimeout(resolve, HELD_OPEN).unref());
  });
  exited.catch(() => {});
  // Not `child.kill()`: on Deno it reports the signal as the cause of the end, even when the process chose its exit code.
  const kill = (signal: Signal) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(child.pid!, signal);
    } catch (error) {
      // It has ended, and we are about to hear of it.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  };
  return { pid: child.pid!, exited, closed, kill, output: () => text, listeners };
}

/** How long to read on after the exit where something else holds the streams open, in milliseconds. */
const HELD_OPEN = 10_000;

/** How long a server may take to end, in milliseconds: less than the 30 s after which it ends sessions by force. */
const END_TIME = 28_000;

const SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGTERM: 15,
  SIGCONT: 18,
  SIGSTOP: 19,
} as const;

/** A signal that tests send. */
export type Signal = keyof typeof SIGNALS;

/**
 * Starts the server and waits until it says where it listens.
 *
 * @param runtime The runtime to start it on.
 * @param args Its arguments. Without a `--listen` it listens on a free port of 127.0.0.1.
 * @param options See {@linkcode StartOptions}.
 * @returns The running server; `await using` kills it.
 */
export async function startServer(
  runtime: RuntimeUnderTest,
  args: readonly string[] = [],
  options: StartOptions = {},
): Promise<RunningServer> {
  const named = args.filter((arg) => arg === "--listen" || arg.startsWith("--listen=")).length;
  const added = named === 0 && options.listen !== false ? ["--listen", "127.0.0.1:0"] : [];
  // Tests read the log as people do, unless they ask for another.
  if (!args.some((arg) => arg.startsWith("--log-format"))) added.push("--log-format", "text");
  const { pid, exited, closed, kill, output, listeners } = launch(runtime, [...added, ...args], options);
  const stop = async (signal: "SIGTERM" | "SIGINT" | "SIGKILL" = "SIGKILL") => {
    kill(signal);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<"late">((resolve) => timer = setTimeout(() => resolve("late"), END_TIME));
    const code = await Promise.race([exited, late]);
    clearTimeout(timer);
    if (code !== "late") {
      await closed;
      return code;
    }
    kill("SIGKILL");
    await exited;
    throw new Error(`The server did not end on ${signal} within ${END_TIME} ms. Its output:\n${output()}`);
  };
  // A line may come in pieces, and be the answer with its end alone.
  const lines = () => output().slice(0, output().lastIndexOf("\n") + 1);
  const waitForOutput = (pattern: RegExp, { since = 0, timeoutMs = 60_000 } = {}) =>
    waitFor(() => pattern.exec(lines().slice(since))?.[0], {
      listeners,
      ended: closed,
      timeoutMs,
      what: () => `output that matches ${pattern}; the server's output:\n${output()}`,
    });
  try {
    const addresses = await waitFor(() => {
      const found = parseListening(output());
      return found.length >= Math.max(1, named) ? found : undefined;
    }, {
      listeners,
      ended: closed,
      timeoutMs: options.timeoutMs ?? 120_000,
      what: () => `a line that says where the server listens; its output:\n${output()}`,
    });
    const first = addresses[0]!;
    return {
      host: first.host,
      port: first.port,
      addresses,
      pid,
      exited,
      output,
      waitForOutput,
      signal: (signal) => kill(signal),
      stop,
      rssKiB: () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? NaN),
      openFiles: () => readdirSync(`/proc/${pid}/fd`).length,
      [Symbol.asyncDispose]: async () => void await stop(),
    };
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
}

/**
 * Runs the server until it ends by itself: for mistakes in its arguments, `--help` and `--version`.
 *
 * @returns The exit code and everything it wrote.
 */
export async function runToExit(
  runtime: RuntimeUnderTest,
  args: readonly string[],
  options: StartOptions = {},
): Promise<{ code: number; output: string }> {
  const { exited, closed, kill, output } = launch(runtime, args, options);
  const timer = setTimeout(() => kill("SIGKILL"), options.timeoutMs ?? 120_000);
  const code = await exited;
  clearTimeout(timer);
  await closed;
  return { code, output: output() };
}

/** Finds every address after the word "listening" in lines of output. */
export function parseListening(output: string): ListeningAddress[] {
  const found: ListeningAddress[] = [];
  for (const line of output.split("\n").slice(0, -1)) {
    const at = line.search(/\blistening\b/i);
    if (at < 0) continue;
    const address = /unix:([^\s,;"']+)|\[([0-9a-f:.]+(?:%\w+)?)\]:(\d+)|((?:\d{1,3}\.){3}\d{1,3}|localhost):(\d+)/gi;
    for (const [, path, v6, port6, v4, port4] of line.slice(at).matchAll(address)) {
      if (path !== undefined) found.push({ host: "", port: 0, path });
      else found.push({ host: (v6 ?? v4)!, port: Number(port6 ?? port4) });
    }
  }
  return found;
}

interface WaitOptions {
  readonly listeners: Set<() => void>;
  readonly ended: Promise<void>;
  readonly timeoutMs: number;
  readonly what: () => string;
}

function waitFor<T>(probe: () => T | undefined, { listeners, ended, timeoutMs, what }: WaitOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      listeners.delete(check);
      settle();
    };
    const check = () => {
      const value = probe();
      if (value !== undefined) finish(() => resolve(value));
      return value !== undefined;
    };
    const timer = setTimeout(
      () => finish(() => reject(new Error(`Waited ${timeoutMs} ms in vain for ${what()}`))),
      timeoutMs,
    );
    listeners.add(check);
    if (check()) return;
    ended.then(() => {
      if (!check()) finish(() => reject(new Error(`The server ended. Waited for ${what()}`)));
    });
  });
}

/** Whether a command succeeds here; used to find out whether a facility of the system can be used. */
export function succeeds(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}
