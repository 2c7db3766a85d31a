import { onInterrupt } from "../_run.ts";
import { type ProcessStat, processTree } from "./process_tree.ts";

/** How long a process may take to end before it is made to. */
const GRACE_MS = 1000;

/** What runs now. */
const running = new Set<Child>();

onInterrupt(() => {
  for (const child of running) child.kill();
});

/** A process that runs until it is stopped, and all that it starts. */
export class Child {
  /** The process's id; it leads a group of its own. */
  readonly pid: number;
  #process: Deno.ChildProcess;
  #ended = false;

  /** Starts a program with as many descriptors as may be, its output in a file. */
  constructor(command: string, args: readonly string[], log: string) {
    const script = 'ulimit -n "$1"; log=$2; shift 2; exec "$@" >"$log" 2>&1';
    this.#process = new Deno.Command("sh", {
      args: ["-c", script, "sh", `${descriptorLimit()}`, log, command, ...args],
      stdin: "null",
      stdout: "null",
      stderr: "null",
      detached: true,
    }).spawn();
    this.pid = this.#process.pid;
    this.#process.status.then(() => this.#ended = true);
    running.add(this);
  }

  /** Whether the process has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Ends the process and all that it started, and waits for that. */
  async stop(): Promise<void> {
    const tree = processTree([this.pid]);
    signalGroup(this.pid, "SIGTERM");
    let timer: ReturnType<typeof setTimeout> | undefined;
    const grace = new Promise((resolve) => timer = setTimeout(resolve, GRACE_MS));
    await Promise.race([this.#process.status, grace]);
    clearTimeout(timer);
    this.kill(tree);
    await this.#process.status;
    running.delete(this);
  }

  /** Ends the process and all that it started, at once. */
  kill(tree: readonly ProcessStat[] = processTree([this.pid])): void {
    signalGroup(this.pid, "SIGKILL");
    // Some children lead groups of their own. What got the pid of one that ended started later than it.
    const now = processTree(tree.map(({ pid }) => pid));
    for (const { pid, started } of tree) {
      if (now.some((process) => process.pid === pid && process.started === started)) signal(pid, "SIGKILL");
    }
  }
}

function signalGroup(pid: number, name: Deno.Signal): void {
  signal(-pid, name);
}

function signal(pid: number, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch {
    // It is gone.
  }
}

/** A higher limit makes some servers slow, which close every descriptor that may be open. */
const MOST_DESCRIPTORS = 65_536;

let limit: number | undefined;

/** How many descriptors a process may have open. */
export function descriptorLimit(): number {
  if (limit === undefined) {
    const { stdout } = new Deno.Command("sh", { args: ["-c", "ulimit -Hn"] }).outputSync();
    const text = new TextDecoder().decode(stdout).trim();
    limit = text === "unlimited" ? MOST_DESCRIPTORS : Math.min(Number(text), MOST_DESCRIPTORS);
  }
  return limit;
}
