import type { Options } from "./options.ts";
import { ratios, spread } from "./ratios.ts";
import type { CaseResult } from "./run_case.ts";

/** What a whole run found. */
export interface Report {
  /** The machine, what runs on it, and how it is measured. */
  readonly first: string;
  readonly notes: readonly string[];
  readonly options: Options;
  readonly results: readonly CaseResult[];
}

/** The report with every single figure, ready for `JSON.stringify`. */
export function toJson({ first, notes, options, results }: Report): unknown {
  const { rounds, seconds } = options;
  return { machine: first, notes, rounds, seconds, cases: results.map(caseJson) };
}

function caseJson({ case: what, rows, incapable }: CaseResult): unknown {
  const peers = rows.filter(({ server }) => !server.ours);
  return {
    name: what.name,
    title: what.title,
    unit: what.unit,
    servers: rows.map(({ server, figures, findings, problems }) => ({
      name: server.id,
      figure: spread(figures),
      timesLessThan: Object.fromEntries(peers.map((peer) => [peer.server.id, ratios(figures, peer.figures)])),
      rounds: findings.map((finding, round) => ({ figure: figures[round], ...finding })),
      problems,
    })),
    incapable: incapable.map(({ id }) => id),
  };
}
