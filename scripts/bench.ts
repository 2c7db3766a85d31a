/**
 * Compares the server with others: `deno task bench [OPTION…]`; `--help` tells the options.
 *
 * On Deno it is run from the sources, on Bun and Node from the npm build, against the SOCKS servers that are installed:
 * microsocks, Dante (dante-server) and ssh -D (openssh-client, openssh-server). All runs on this machine's loopback.
 *
 * What counts is what the server's processes use: CPU time and memory, as Linux accounts for them. The load generator
 * and the server share the cores, so what they reach together in a second tells little. The servers take turns, and
 * ratios are taken within a round: a busy machine changes the figures, the ratios less. On a machine that has much else
 * to do, code is compiled late, and only more rounds tell what a server costs in the long run.
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
import { caseTable, oneLine } from "./bench/table.ts";
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

async function main(args: readonly string[]): Promise<number> {
  const options = optionsOf(args);
  if (options === undefined) return 2;
  if (options.help) {
    console.log(USAGE);
    return 0;
  }
  if (Deno.build.os !== "linux") {
    console.error("Cannot measure: CPU time and memory are read from Linux's /proc");
    return 1;
  }
  const folder = await Deno.makeTempDir({ prefix: "socks-bench-" });
  onInterrupt(() => Deno.removeSync(folder, { recursive: true }));
  try {
    // Some of Dante's processes run as another user, and read their configuration.
    await Deno.chmod(folder, 0o755);
    await compare(options, folder);
    return 0;
  } finally {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

/** Reads the command line; if it is not understood, says so. */
function optionsOf(args: readonly string[]): Options | undefined {
  try {
    return parseOptions(args);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    return undefined;
  }
}

async function compare(options: Options, folder: string): Promise<void> {
  const { rounds, seconds, json } = options;
  const print = json ? () => {} : (text: string) => console.log(text);
  const found = await findServers(folder, options.servers);
  const most = Math.floor((descriptorLimit() - DESCRIPTORS_BESIDES) / DESCRIPTORS_PER_TUNNEL);
  const idleTunnels = Math.max(1, Math.min(options.idleTunnels, most));
  const first = await firstLine(options, found);
  const notes = notesOn(options, found, idleTunnels);
  print([first, READING, ...notes].join("\n\n"));

  await using target = await TargetProcess.start();
  await using pool = new Pool(folder);
  const shared = { rounds, seconds, idleTunnels, target: target.ports, pool, progress: showProgress };
  const results: CaseResult[] = [];
  for (const what of CASES.filter(({ name }) => options.cases.includes(name))) {
    const result = await runCase(what, found.candidates, shared);
    showProgress("");
    print(`\n${caseTable(result)}`);
    results.push(result);
  }
  if (json) console.log(JSON.stringify(toJson({ first, notes, options, results }), null, 2));
}

/** What has to be known to read the tables. */
function notesOn(options: Options, { candidates, missing }: Found, idleTunnels: number): string[] {
  const notes = candidates.flatMap(({ note }) => note ?? []);
  if (options.cases.includes("idle")) {
    const wish = options.idleTunnels;
    const lowered = idleTunnels < wish ? `, not ${wish}, since \`ulimit -Hn\` is ${descriptorLimit()}` : "";
    notes.push(`Idle tunnels: ${idleTunnels}${lowered}.`);
  }
  for (const { label, reason } of missing) notes.push(`Skipped: ${label}: ${oneLine(reason)}.`);
  return notes;
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

if (import.meta.main) Deno.exit(await main(Deno.args));
