/** One process, as /proc tells it. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** When it started, in clock ticks since boot; with the pid it tells a process from a later one. */
  readonly started: number;
  /** CPU time in seconds: its own, and that of its children which ended. */
  readonly cpu: number;
}

/** Linux tells CPU time in these steps, whatever the kernel's own clock. */
const TICKS_PER_SECOND = 100;

/** Reads the text of /proc/PID/stat; undefined if it is not one. */
export function parseStat(text: string): ProcessStat | undefined {
  // The second field is the program's name in parentheses, and may hold anything, parentheses too.
  const name = text.lastIndexOf(")");
  if (name < 0) return undefined;
  const fields = text.slice(name + 2).split(" ").map(Number);
  const [parent, user, system, childUser, childSystem, started] = [1, 11, 12, 13, 14, 19].map((at) => fields[at]!);
  const cpu = (user! + system! + childUser! + childSystem!) / TICKS_PER_SECOND;
  const stat = { pid: Number.parseInt(text), parent: parent!, started: started!, cpu };
  return Object.values(stat).every(Number.isFinite) ? stat : undefined;
}

/** The processes among `all` that are, or descend from, one of `roots`. */
export function descendants(all: readonly ProcessStat[], roots: readonly number[]): ProcessStat[] {
  const found = new Set<ProcessStat>(all.filter(({ pid }) => roots.includes(pid)));
  // A set's loop also visits what is added meanwhile.
  for (const { pid } of found) {
    for (const process of all) if (process.parent === pid) found.add(process);
  }
  return [...found];
}

/** The processes that run now and are, or descend from, one of `roots`. */
export function processTree(roots: readonly number[]): ProcessStat[] {
  const all: ProcessStat[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const stat = parseStat(readNow(`/proc/${name}/stat`));
    if (stat) all.push(stat);
  }
  return descendants(all, roots);
}

/** The CPU time in seconds that the processes have used so far. */
export function cpuSeconds(roots: readonly number[]): number {
  return processTree(roots).reduce((sum, { cpu }) => sum + cpu, 0);
}

/** The memory of the processes in KiB; a page that n processes share counts as 1/n in each. NaN if it is not told. */
export function pssKib(roots: readonly number[]): number {
  return processTree(roots).reduce((sum, { pid }) => {
    const pss = /^Pss:\s+(\d+) kB$/m.exec(readNow(`/proc/${pid}/smaps_rollup`))?.[1];
    return sum + (pss === undefined ? NaN : Number(pss));
  }, 0);
}

/** The text of a file; empty if the process is gone or not ours to look at. */
function readNow(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
