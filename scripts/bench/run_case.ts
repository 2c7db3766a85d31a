import type { Case } from "./cases.ts";
import type { Finding, TargetPorts } from "./load/job.ts";
import { measure } from "./measure.ts";
import type { Pool } from "./pool.ts";
import type { Candidate } from "./servers/server.ts";

const WARM_UP_SECONDS = 0.4;
/** In the first round, when a server's code may not have been compiled yet for what the case asks of it. */
const FIRST_WARM_UP_SECONDS = 1.5;
const LIMIT_SECONDS = 60;
/** A server that failed so often in a case is left alone. */
const MOST_FAILURES = 2;

/** What {@linkcode runCase} needs. */
export interface CaseOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly idleTunnels: number;
  readonly target: TargetPorts;
  readonly pool: Pool;
  /** Is told what runs now. */
  readonly progress: (text: string) => void;
}

/** What one server showed in a case. */
export interface Row {
  readonly server: Candidate;
  /** The headline figure of each round; undefined where the measurement failed. */
  readonly figures: readonly (number | undefined)[];
  /** All that was found in each round. */
  readonly findings: readonly (Finding | undefined)[];
  /** What went wrong. */
  readonly problems: readonly string[];
}

/** What a case showed. */
export interface CaseResult {
  readonly case: Case;
  readonly rows: readonly Row[];
  /** The servers which cannot do it. */
  readonly incapable: readonly Candidate[];
}

/** What is gathered of one server. */
interface Sheet {
  readonly server: Candidate;
  readonly findings: (Finding | undefined)[];
  readonly problems: string[];
}

/** Measures all servers in one case, round by round: what disturbs the machine for a while disturbs them alike. */
export async function runCase(what: Case, servers: readonly Candidate[], options: CaseOptions): Promise<CaseResult> {
  const capable = servers.filter(({ udp }) => udp || !what.udp);
  const sheets: Sheet[] = capable.map((server) => ({ server, findings: [], problems: [] }));
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < sheets.length; turn++) {
      // Another one begins each round.
      const sheet = sheets[(turn + round) % sheets.length]!;
      options.progress(`${what.name}, round ${round + 1} of ${options.rounds}: ${sheet.server.label}`);
      sheet.findings[round] = await attempt(what, sheet, round, options);
    }
  }
  const rows = sheets.map((sheet) => ({ ...sheet, figures: sheet.findings.map((finding) => finding?.value) }));
  return { case: what, rows, incapable: servers.filter((server) => !capable.includes(server)) };
}

async function attempt(what: Case, sheet: Sheet, round: number, options: CaseOptions): Promise<Finding | undefined> {
  const { server, findings, problems } = sheet;
  if (findings.filter((finding) => finding === undefined).length >= MOST_FAILURES) return undefined;
  const { seconds, idleTunnels, target, pool } = options;
  const { name, fresh } = what;
  try {
    const { port: proxy, roots } = await pool.get(server, fresh);
    const warmupSeconds = round === 0 ? FIRST_WARM_UP_SECONDS : WARM_UP_SECONDS;
    const limits = { warmupSeconds, limitSeconds: LIMIT_SECONDS + seconds };
    const finding = await measure({ name, proxy, roots, target, seconds, idleTunnels, ...limits });
    if (finding.errors > 0) problems.push(`${finding.errors} failed${finding.problem ? `: ${finding.problem}` : ""}`);
    return finding;
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
    // It may be in any state.
    await pool.drop(server);
    return undefined;
  } finally {
    // What has held thousands of tunnels is not what was started.
    if (fresh) await pool.drop(server);
  }
}
