import { ratios, type Spread, spread } from "./ratios.ts";
import type { CaseResult, Row } from "./run_case.ts";

/**
 * Shows what a case found as Markdown: each server's median, and its ratio to each peer; to the first server if there is
 * no peer.
 */
export function caseTable({ case: what, rows, incapable }: CaseResult): string {
  const peers = rows.filter(({ server }) => !server.ours);
  const references = peers.length > 0 ? peers : rows.slice(0, 1);
  const head = ["server", what.unit, ...references.map(({ server }) => `less than ${server.label}`)];
  const body = rows.map((row) => [
    row.server.label,
    formatNumber(spread(row.figures)?.median),
    ...references.map((reference) => row === reference ? "" : formatSpread(ratios(row.figures, reference.figures))),
  ]);
  const notes = rows.flatMap(problemsOf);
  if (incapable.length > 0) notes.push(`Without UDP: ${incapable.map(({ label }) => label).join(", ")}.`);
  return [`### ${what.title}`, "", markdownTable([head, ...body]), ...notes.flatMap((note) => ["", note])].join("\n");
}

/** One line for each way in which a server failed. */
function problemsOf({ server, problems }: Row): string[] {
  return [...new Set(problems)].map((problem) => `${server.label}: ${oneLine(problem)}`);
}

/** A table, as Markdown that is aligned in plain text too: the first column to the left, the others to the right. */
export function markdownTable(lines: readonly (readonly string[])[]): string {
  const [head = [], ...body] = lines;
  const widths = head.map((_title, column) => Math.max(4, ...lines.map((line) => line[column]?.length ?? 0)));
  const format = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)).join(" | ")} |`;
  const rule = widths.map((width, at) => at === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`);
  return [format(head), format(rule), ...body.map(format)].join("\n");
}

/** A ratio and its range. */
function formatSpread(found: Spread | undefined): string {
  if (found === undefined) return "-";
  const [median, least, most] = [found.median, found.least, found.most].map(formatRatio);
  return least === most ? `${median}×` : `${median}× (${least} to ${most})`;
}

function formatRatio(value: number): string {
  return value.toFixed(value < 9.95 ? (value < 0.995 ? 2 : 1) : 0);
}

/** A figure with three digits that count. */
export function formatNumber(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return "-";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.01))));
  return value.toFixed(Math.min(digits, 3));
}

/** The beginning of a text that may be a program's output, on one line. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, 300);
}
