/**
 * Why rules decide as they do.
 *
 * @module
 */

import type { CompiledRule } from "./compiled_rule.ts";
import type { Match } from "./condition.ts";
import type { Question } from "./question.ts";
import type { Verdict } from "./rules.ts";

/** What became of one rule. */
export interface ExplainedRule {
  /** Where it stands among the rules, from 0. */
  readonly index: number;
  /** What the log calls it. */
  readonly rule: string;
  /** What it does. */
  readonly action: "allow" | "deny";
  /** Whether it applies; `maybe` if that depends on what is not known yet. */
  readonly applies: Match;
  /** The first condition that does not, or not yet, apply, and why. */
  readonly because: string;
}

/** Which rule decides, and why. */
export interface Explanation {
  /** What is decided: as `decide` says it. `undefined` leaves it to the safe defaults, or to when more is known. */
  readonly verdict: Verdict;
  /** Where the rule that decides stands, from 0; absent if none does. */
  readonly index?: number | undefined;
  /** What the log calls it, `otherwise` after the last rule; absent if it depends on what is not known yet. */
  readonly rule?: string | undefined;
  /** Why, in a few words. */
  readonly reason: string;
  /** The rules that were looked at, in order: up to the one that applies for certain. */
  readonly rules: readonly ExplainedRule[];
}

/**
 * Explains a decision.
 *
 * @param rules The rules, in order.
 * @param question What was asked.
 * @param verdict What was decided.
 */
export function explain(rules: readonly CompiledRule[], question: Question, verdict: Verdict): Explanation {
  const looked: ExplainedRule[] = [];
  for (const [index, rule] of rules.entries()) {
    const applies = rule.match(question);
    looked.push({ index, rule: rule.name, action: rule.action, applies, because: rule.why(question) });
    if (applies === "yes") break;
  }
  const last = looked.at(-1)?.applies === "yes" ? looked.at(-1) : undefined;
  const open = looked.filter(({ applies }) => applies === "maybe");
  if (open.length > 0 && verdict === undefined) {
    return { verdict, reason: `it depends on ${open.map(({ rule }) => rule).join(", ")}`, rules: looked };
  }
  return { verdict, index: last?.index, rule: last?.rule ?? "otherwise", reason: reasonOf(verdict), rules: looked };
}

function reasonOf(verdict: Verdict): string {
  if (verdict === undefined) return "no rule applies: the safe defaults decide";
  if (typeof verdict === "string") return verdict;
  if ("deny" in verdict) return verdict.deny;
  return verdict.allow === "always" ? "allowed" : "allowed, unless the safe defaults say no";
}
