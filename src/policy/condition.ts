/**
 * One condition of a rule.
 *
 * @module
 */

import type { Cidr } from "../net/cidr.ts";
import type { Question } from "./question.ts";

/** Whether something applies; `maybe` if that depends on what is not known yet. */
export type Match = "yes" | "no" | "maybe";

/** A fact by which a condition can be found, instead of being asked. */
export type ConditionKey =
  | { readonly by: "user" | "group" | "listener" | "name" | "under"; readonly value: string }
  | { readonly by: "port"; readonly value: number }
  | { readonly by: "client" | "address"; readonly value: Cidr };

/** A condition, ready to be asked. */
export interface Condition {
  /** The field of the rule. */
  readonly field: string;
  /** One of these is true of all that it may apply to; absent if there is no such list. */
  readonly keys?: readonly ConditionKey[] | undefined;
  /** Whether it applies. */
  test(question: Question): Match;
  /** What stands against it: `192.0.2.1 is none of 10.0.0.0/8, loopback`. */
  why(question: Question): string;
}

/** Names a few items, and says how many more there are. */
export function listItems(items: readonly (string | number)[]): string {
  const more = items.length - 4;
  return more > 1 ? `${items.slice(0, 4).join(", ")} and ${more} more` : items.join(", ");
}
