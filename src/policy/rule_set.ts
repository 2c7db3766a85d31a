/**
 * Rules, compiled.
 *
 * @module
 */

import type { Target } from "../protocol/address.ts";
import type { Decision } from "./authorise.ts";
import { CompiledRule } from "./compiled_rule.ts";
import { explain, type Explanation } from "./explanation.ts";
import { type Knowledge, knowledgeOf, type Search, searchFor } from "./knowledge.ts";
import { type Destination, destinationOf, destinationOfRequest, Question } from "./question.ts";
import type { Rule } from "./rule.ts";
import type { AddressInfo, RequestInfo, Rules } from "./rules.ts";
import { ZoneClock } from "./zone_clock.ts";

/** How to compile rules. */
export interface CompileOptions {
  /**
   * What holds where no rule applies: `safe` leaves it to the safe defaults, `allow` overrides them.
   *
   * @default {"safe"}
   */
  readonly otherwise?: "safe" | "allow" | "deny" | undefined;
  /**
   * Tells the time, in milliseconds since the epoch.
   *
   * @default {Date.now}
   */
  readonly now?: (() => number) | undefined;
}

/**
 * Compiles rules. The first that applies decides. It is the same answer as from reading them one by one, but they are
 * found by what they are about: thousands cost hardly more than a few. Asked one by one are those that no list tells
 * apart from others: with a regular expression or a `*` in the last label in `to`, and no other condition but times,
 * commands and wide ranges of ports.
 *
 * @param rules The rules, in order.
 * @param options The last word, and a clock.
 * @returns The rules, ready to be asked.
 * @throws {RangeError} `Cannot use rules[3].to[1]: found …, expected …`.
 *
 * @example Nobody reaches what clouds keep secret, ada the office, everybody the web
 * ```ts
 * import { compileRules } from "@x/socks";
 * import { assertEquals } from "@std/assert";
 *
 * const rules = compileRules([
 *   { action: "deny", to: ["metadata"] },
 *   { action: "allow", users: ["ada"], to: ["10.0.0.0/8", ".corp.example"] },
 *   { action: "allow", ports: [80, 443] },
 * ], { otherwise: "deny" });
 * assertEquals(typeof rules.request, "function");
 * ```
 */
export function compileRules(rules: readonly Rule[], options: CompileOptions = {}): RuleSet {
  return new RuleSet(rules, options);
}

/** Rules that can be asked. */
export class RuleSet implements Rules {
  readonly #rules: readonly CompiledRule[];
  readonly #searches = new Map<Knowledge, Search>();
  readonly #otherwise: Decision;
  readonly #now: () => number;

  /**
   * Compiles rules, as {@linkcode compileRules} does.
   *
   * @param rules The rules, in order.
   * @param options The last word, and a clock.
   * @throws {RangeError} `Cannot use rules[3].to[1]: found …, expected …`.
   */
  constructor(rules: readonly Rule[], options: CompileOptions = {}) {
    const clocks = new Map<string | undefined, ZoneClock>();
    const clockOf = (zone: string | undefined): ZoneClock => {
      const clock = clocks.get(zone) ?? new ZoneClock(zone);
      clocks.set(zone, clock);
      return clock;
    };
    this.#rules = rules.map((rule, position) => new CompiledRule(rule, position, clockOf));
    for (const knowledge of ["all", "name", "nothing"] as const) {
      this.#searches.set(knowledge, searchFor(this.#rules, knowledge));
    }
    this.#now = options.now ?? Date.now;
    this.#otherwise = otherwiseOf(options.otherwise);
  }

  /** How many rules there are. */
  get size(): number {
    return this.#rules.length;
  }

  /**
   * What is certain before a name is resolved. A denial spares the lookup. `undefined` where it depends on the address,
   * on the datagrams of an association, or on who connects to a BIND: then {@linkcode RuleSet.address} says it.
   */
  request(request: RequestInfo): Decision {
    return this.decide(request, destinationOfRequest(request));
  }

  /** What is certain about the destination of a datagram before its name is resolved. */
  lookup(target: Target, request: RequestInfo): Decision {
    return this.decide(request, destinationOf(target));
  }

  /**
   * What holds for a name that is left to a way out. A rule that lists addresses in `to` does not apply to it, unless it
   * lists the name, or `any`.
   */
  name(target: Target, request: RequestInfo): Decision {
    return this.decide(request, { ...destinationOf(target), isKept: true });
  }

  /**
   * What holds for an address, and for the name that it came from. It is asked anew, whatever was said of the request:
   * an earlier rule may be about the address.
   */
  address({ name, ip, port, address }: AddressInfo, request: RequestInfo): Decision {
    return this.decide(request, { name, ip, port, dialled: address.ip });
  }

  /**
   * Decides. Every rule applies, does not, or depends on what is not known of the destination. The first that applies
   * for certain decides if none before it might turn out to decide otherwise.
   *
   * @param request Who asks for what.
   * @param destination Where to, as far as that is known.
   * @returns What is certain; `undefined` if nothing is, or if it is left to the safe defaults.
   */
  decide(request: RequestInfo, destination: Destination): Decision {
    return this.#answer(new Question(request, destination, this.#now));
  }

  /**
   * Says which rule decides, and why each before it does not.
   *
   * @param request Who asks for what.
   * @param destination Where to; as far as the request says so, if absent.
   */
  explain(request: RequestInfo, destination: Destination = destinationOfRequest(request)): Explanation {
    const question = new Question(request, destination, this.#now);
    return explain(this.#rules, question, this.#answer(question));
  }

  #answer(question: Question): Decision {
    const rules = this.#rules;
    const { settling, doubting } = this.#searchFor(knowledgeOf(question));
    const settles = (position: number): boolean => {
      const match = rules[position]!.match(question);
      return match === "yes" || match === "maybe" && rules[position]!.action === "allow";
    };
    const position = settling.first(question, settles, rules.length);
    const rule = rules[position];
    if (rule !== undefined && rule.match(question) === "maybe") return undefined;
    const answer = rule === undefined ? this.#otherwise : rule.verdict(question);
    if (answer === undefined || "deny" in answer) return answer;
    const mayDeny = (position: number): boolean =>
      rules[position]!.action === "deny" && rules[position]!.match(question) === "maybe";
    return doubting.first(question, mayDeny, position) < position ? undefined : answer;
  }

  #searchFor(knowledge: Knowledge): Search {
    let search = this.#searches.get(knowledge);
    if (search === undefined) this.#searches.set(knowledge, search = searchFor(this.#rules, knowledge));
    return search;
  }
}

function otherwiseOf(otherwise: CompileOptions["otherwise"]): Decision {
  if (otherwise === "allow") return { allow: "always", rule: "otherwise" };
  return otherwise === "deny" ? { deny: "no rule allows it", rule: "otherwise" } : undefined;
}
