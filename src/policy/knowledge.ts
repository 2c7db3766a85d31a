/**
 * How rules are searched, by what is known of a destination.
 *
 * @module
 */

import type { CompiledRule } from "./compiled_rule.ts";
import type { ConditionKey } from "./condition.ts";
import type { Question } from "./question.ts";
import { type IndexedRule, RuleIndex } from "./rule_index.ts";

/** What is known: all; all but the address, and that there is a name; nothing; or anything else. */
export type Knowledge = "all" | "name" | "nothing" | "other";

/** The rules, found in two ways. */
export interface Search {
  /** Those that can settle a question: they apply for certain, or may turn out to apply and allow. */
  readonly settling: RuleIndex;
  /** Those that may turn out to apply and deny. */
  readonly doubting: RuleIndex;
}

/** What is known of the destination of a question. */
export function knowledgeOf({ name, ip, port, mayHaveName }: Question): Knowledge {
  if (port === undefined) return ip === undefined && name === undefined ? "nothing" : "other";
  if (ip !== undefined) return mayHaveName ? "other" : "all";
  return name === undefined ? "other" : "name";
}

/**
 * Makes the indexes for questions of which this much is known.
 *
 * @param rules The rules, in order.
 * @param knowledge What is known.
 */
export function searchFor(rules: readonly CompiledRule[], knowledge: Knowledge): Search {
  const settling: IndexedRule[] = [];
  const doubting: IndexedRule[] = [];
  rules.forEach((rule, position) => {
    if (knowledge === "other") {
      settling.push({ position, choices: [] });
      doubting.push({ position, choices: [] });
      return;
    }
    const choices = knownKeys(rule, knowledge);
    const mayDeny = rule.action === "deny" && depends(rule, knowledge);
    if (mayDeny) doubting.push({ position, choices });
    // One that may deny can still apply for certain: by one of its names.
    if (mayDeny && !(knowledge === "name" && rule.to?.hasNames === true)) return;
    const keys = toKeys(rule, knowledge);
    settling.push({ position, choices: keys === undefined ? choices : [...choices, keys] });
  });
  return { settling: new RuleIndex(settling), doubting: new RuleIndex(doubting) };
}

/** Whether a rule depends on what is not known. */
function depends({ to, conditions }: CompiledRule, knowledge: Knowledge): boolean {
  if (knowledge === "all") return false;
  const asksWhere = to !== undefined && !to.isAll;
  if (knowledge === "name") return asksWhere && to.hasAddresses;
  return asksWhere || conditions.some(({ field }) => field === "ports");
}

/** The keys of the conditions that are known in any case. */
function knownKeys({ conditions }: CompiledRule, knowledge: Knowledge): (readonly ConditionKey[])[] {
  return conditions.flatMap(({ field, keys }) => {
    const isKnown = field !== "to" && (field !== "ports" || knowledge !== "nothing");
    return isKnown && keys !== undefined ? [keys] : [];
  });
}

/** The keys by which a rule that can settle a question is found, if it is found by its destinations. */
function toKeys(rule: CompiledRule, knowledge: Knowledge): readonly ConditionKey[] | undefined {
  const { to, action } = rule;
  if (to === undefined || to.isAll || knowledge === "nothing") return undefined;
  if (knowledge === "all") return to.keys;
  // Whichever address the name has may be one that it allows.
  return action === "allow" && to.hasAddresses ? undefined : to.nameKeys;
}
