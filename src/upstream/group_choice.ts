/**
 * How a group chooses among its members.
 *
 * @module
 */

import { comparableName } from "../net/host_name.ts";
import type { RequestInfo } from "../policy/rules.ts";
import type { Target } from "../protocol/address.ts";
import { stableChoice } from "./stable_choice.ts";
import type { GroupChoice } from "./upstream.ts";

/** What a choice looks at in a member. */
export interface Candidate {
  /** Its name, which no other member has. */
  readonly name: string;
  /** How much of the whole it is to get, above 0. */
  readonly weight: number;
  /** How long it has taken lately, in milliseconds; `undefined` if that is not known. */
  readonly latency: number | undefined;
}

/** What a choice looks at in a request. */
export interface Asked {
  /** Who makes it. */
  readonly request: Pick<RequestInfo, "user" | "client">;
  /** Where to. */
  readonly target: Target;
}

/** Chooses one of some members, at least one; they stand in the order of the group. */
export type Choose = <Member extends Candidate>(candidates: readonly Member[], asked: Asked) => Member;

/** How often the fastest member is passed over, so that the others are measured, too. */
const EXPLORED = 0.05;

/**
 * Makes a chooser.
 *
 * @param choice How it chooses.
 * @param random Gives numbers from 0 to below 1.
 */
export function chooser(choice: GroupChoice, random: () => number): Choose {
  const anyOf: Choose = (candidates) => candidates[Math.floor(random() * candidates.length)]!;
  switch (choice) {
    case "first":
      return (candidates) => candidates[0]!;
    case "random":
      return anyOf;
    case "round-robin":
      return inTurn();
    case "weighted":
      return byWeight();
    case "least-latency":
      return (candidates, asked) => random() < EXPLORED ? anyOf(candidates, asked) : fastest(candidates);
    case "sticky-user":
      return (candidates, { request }) => stable(candidates, userKey(request));
    case "sticky-target":
      return (candidates, { target }) => stable(candidates, comparableName(target.host));
  }
}

/** One after the other, whichever of them are there. */
function inTurn(): Choose {
  let turn = 0;
  return (candidates) => candidates[turn++ % candidates.length]!;
}

/** In proportion to the weights, and as evenly spread as they allow (nginx calls it smooth). */
function byWeight(): Choose {
  const credits = new Map<string, number>();
  return (candidates) => {
    let best = candidates[0]!, most = -Infinity, total = 0;
    for (const candidate of candidates) {
      const credit = (credits.get(candidate.name) ?? 0) + candidate.weight;
      credits.set(candidate.name, credit);
      total += candidate.weight;
      if (credit > most) [best, most] = [candidate, credit];
    }
    credits.set(best.name, most - total);
    return best;
  };
}

/** One that was not measured yet comes first. */
function fastest<Member extends Candidate>(candidates: readonly Member[]): Member {
  return candidates.reduce((best, other) => (other.latency ?? 0) < (best.latency ?? 0) ? other : best);
}

/** A member that leaves moves only those that were its own. */
function stable<Member extends Candidate>(candidates: readonly Member[], key: string): Member {
  if (candidates.length === 1) return candidates[0]!;
  const name = stableChoice(candidates.map(({ name }) => name))(key);
  return candidates.find((candidate) => candidate.name === name)!;
}

/** Who has not logged in is known by the address. The first character keeps the two apart. */
function userKey({ user, client }: Asked["request"]): string {
  return user !== undefined ? `@${user.name}` : `#${client?.ip ?? ""}`;
}
