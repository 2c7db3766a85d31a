/**
 * Compares the server with others: `deno task bench [OPTION…]`; `--help` tells the options.
 *
 * On Deno it is run from the sources, on Bun and Node from the npm build, against the SOCKS servers that are installed:
 * microsocks, Dante (dante-server) and ssh -D (openssh-client, openssh-server). All runs on this machine's loopback.
 *
 * What counts is what the server's processes use: CPU time and memory, as Linux accounts for them. The load generator
 * and the server share the cores, so what they reach together in a second tells little. The servers take turns, and
 * ratios are taken within a round: a busy machine changes the figures, the ratios less.
 *
 * @module
 */
import { CASES } from "./bench/cases.ts";
import { descriptorLimit } from "./bench/child.ts";
import { describeMachine } from "./bench/machine.ts";
import { type Options, parseOptions, USAGE } from "./bench/options.ts";
import { Pool } from "./bench/pool.ts";
import { type CaseResult, runCase } from "./bench/run_case.ts";
import { findServers, type Found } from "./bench/servers/find.ts";
import { caseTable } from "./bench/table.ts";
import { toJson } from "./bench/to_json.ts";
import { TargetProcess } from "./bench/target_process.ts";
import { onInterrupt } from "./_run.ts";

/** What a process needs besides: libraries, listeners, event loops. */
const DESCRIPTORS_BESIDES = 400;
/** A server has two descriptors for each tunnel. */
const DESCRIPTORS_PER_TUNNEL = 2;

const READING =
  "Less is better in every table. A ratio says how many times less than the peer it is: the median of the " +
  "ratios within each round, and their range.";

async function main(): Promise<void> {
  const options = parseOptions(Deno.args);
  if (options.help) return console.log(USAGE);
  if (Deno.build.os !== "linux") throw new TypeError("Cannot measure: CPU time and memory are read from Linux's /proc");
  const folder = await Deno.makeTempDir({ prefix: "socks-bench-" });
  onInterrupt(() => Deno.removeSync(folder, { recursive: true }));
  try {
    // Dante's children run as another user, and look up their folder.
    await Deno.chmod(folder, 0o755);
    await compare(options, folder);
  } finally {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

async function compare(options: Options, folder: string): Promise<void> {
  const found = await findServers(folder, options.servers);
  const print = options.json ? () => {} : (text: string) => console.log(text);
  const idleTunnels = Math.min(
    options.idleTunnels,
    Math.floor((descriptorLimit() - DESCRIPTORS_BESIDES) / DESCRIPTORS_PER_TUNNEL),
  );
  const first = await firstLine(options, found);
  const notes = [...found.candidates.flatMap(({ note }) => note ?? [])];
  if (idleTunnels < options.idleTunnels && options.cases.includes("idle")) {
    notes.push(
      `Idle tunnels: ${idleTunnels}, not ${options.idleTunnels}, since \`ulimit -Hn\` is ${descriptorLimit()}.`,
    );
  }
  for (const { label, reason } of found.missing) notes.push(`Skipped: ${label}: ${reason}.`);
  print([first, READING, ...notes].join("\n\n"));

  await using target = await TargetProcess.start();
  await using pool = new Pool(folder);
  const results: CaseResult[] = [];
  for (const what of CASES.filter(({ name }) => options.cases.includes(name))) {
    const { rounds, seconds } = options;
    const progress = showProgress;
    const result = await runCase(what, found.candidates, {
      rounds,
      seconds,
      idleTunnels,
      target: target.ports,
      pool,
      progress,
    });
    showProgress("");
    print(`\n${caseTable(result)}`);
    results.push(result);
  }
  if (options.json) console.log(JSON.stringify(toJson({ first, notes, options, results }), null, 2));
}

/** The machine, what runs on it, and how it is measured. */
async function firstLine({ rounds, seconds }: Options, { candidates }: Found): Promise<string> {
  const versions = (ours: boolean) =>
    candidates.filter((candidate) => candidate.ours === ours).map(({ version }) => version).join(", ");
  const parts = [await describeMachine(), versions(true), versions(false)].filter((part) => part !== "");
  return `${parts.join("; ")}; ${rounds} ${rounds === 1 ? "round" : "rounds"} of ${seconds} s.`;
}

/** Shows on one line of a terminal what runs now. */
function showProgress(text: string): void {
  if (Deno.stderr.isTerminal()) Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
}

if (import.meta.main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(error instanceof TypeError ? 2 : 1);
  }
}
