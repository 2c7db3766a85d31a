/**
 * A rule, ready to be asked.
 *
 * @module
 */

import { parseAddressItem } from "./address_item.ts";
import {
  commandsCondition,
  fromCondition,
  groupsCondition,
  listenersCondition,
  timesCondition,
  usersCondition,
} from "./client_conditions.ts";
import type { Condition, Match } from "./condition.ts";
import { portsCondition, ToCondition } from "./destination_conditions.ts";
import { parseDestination } from "./destination_item.ts";
import { mistake } from "./mistake.ts";
import { parsePorts, PortSet } from "./port_set.ts";
import type { Question } from "./question.ts";
import { type Rule, RULE_COMMANDS, type RuleCommand } from "./rule.ts";
import type { Denial, Grant } from "./rules.ts";
import { CompiledWindow } from "./time_window.ts";
import type { ZoneClock } from "./zone_clock.ts";

/** A rule whose items are read, and whose answers are made. */
export class CompiledRule {
  /** What the log calls it. */
  readonly name: string;
  /** What it does. */
  readonly action: "allow" | "deny";
  /** What must be true, cheapest first. What is true of everything is left out. */
  readonly conditions: readonly Condition[];
  /** The condition on the destination, if it has one. */
  readonly to: ToCondition | undefined;
  readonly #allowPrivate: boolean;
  readonly #denial: Denial;
  readonly #grant: Grant;
  readonly #fullGrant: Grant;

  /**
   * @param rule What the operator wrote.
   * @param position Where it stands, from 0.
   * @param clockOf Gives the clock of a time zone.
   * @throws {RangeError} `Cannot use rules[3].to[1]: found …, expected …`.
   */
  constructor(rule: Rule, position: number, clockOf: (zone: string | undefined) => ZoneClock) {
    const path = `rules[${position}]`;
    check(path, "action", rule.action, ["allow", "deny"]);
    check(path, "log", rule.log ?? "all", ["none", "refused", "all"]);
    this.name = rule.name ?? `rule ${position + 1}`;
    this.action = rule.action;
    this.#allowPrivate = rule.allowPrivate === true;
    const items = <T, U>(field: keyof Rule, list: readonly T[] | undefined, read: (item: T) => U) =>
      readItems(path, field, list, read);
    const commands = items("commands", rule.commands, readCommand);
    const users = items("users", rule.users, readText);
    const groups = items("groups", rule.groups, readText);
    const listeners = items("listeners", rule.listeners, readText);
    const ports = items("ports", rule.ports, parsePorts);
    const from = items("from", rule.from, parseAddressItem);
    const to = items("to", rule.to, parseDestination);
    const times = items("times", rule.times, (window) => new CompiledWindow(window, clockOf));
    const portSet = ports === undefined ? undefined : new PortSet(ports);
    this.to = to === undefined ? undefined : new ToCondition(to);
    const conditions: (Condition | undefined)[] = [
      commands && commandsCondition(commands),
      users && usersCondition(users),
      groups && groupsCondition(groups),
      listeners && listenersCondition(listeners),
      portSet?.isAll === true ? undefined : portSet && portsCondition(portSet),
      from?.some(({ set }) => set === "any") === true ? undefined : from && fromCondition(from),
      this.to?.isAll === true ? undefined : this.to,
      times && timesCondition(times),
    ];
    this.conditions = conditions.filter((condition) => condition !== undefined);
    const { log, via } = rule;
    // What is counted outlives a reload by its name.
    const limits = rule.limits && { ...rule.limits, name: rule.limits.name ?? this.name };
    this.#denial = { deny: rule.reason ?? `denied by ${this.name}`, told: rule.reason, rule: this.name, log };
    this.#grant = { allow: this.#allowPrivate ? "always" : "safely", rule: this.name, via, limits, log };
    this.#fullGrant = { ...this.#grant, allow: "always" };
  }

  /** Whether it applies: as little as the condition that applies least. */
  match(question: Question): Match {
    let match: Match = "yes";
    for (let i = 0; i < this.conditions.length; i++) {
      const one = this.conditions[i]!.test(question);
      if (one === "no") return "no";
      if (one === "maybe") match = "maybe";
    }
    return match;
  }

  /** The first condition that applies no more than the rule does, and what stands against it. */
  why(question: Question): string {
    const match = this.match(question);
    const condition = this.conditions.find((condition) => condition.test(question) === match);
    if (match === "yes" || condition === undefined) return "all of its conditions apply";
    return `${condition.field}: ${condition.why(question)}`;
  }

  /** What it answers to a question that it applies to. */
  verdict(question: Question): Grant | Denial {
    if (this.action === "deny") return this.#denial;
    return question.ip !== undefined && this.to?.names(question.ip) === true ? this.#fullGrant : this.#grant;
  }
}

function readItems<T, U>(
  path: string,
  field: keyof Rule,
  list: readonly T[] | undefined,
  read: (item: T) => U,
): readonly U[] | undefined {
  if (list === undefined) return undefined;
  const wrong = (where: string, error: Error) =>
    new RangeError(`Cannot use ${path}.${field}${where}: ${error.message}`);
  if (!Array.isArray(list) || list.length === 0) throw wrong("", mistake(list, "a list of at least one"));
  return list.map((item, at) => {
    try {
      return read(item);
    } catch (error) {
      throw wrong(`[${at}]`, error as Error);
    }
  });
}

function readCommand(command: RuleCommand): RuleCommand {
  if (!RULE_COMMANDS.includes(command)) throw mistake(command, `one of ${RULE_COMMANDS.join(", ")}`);
  return command;
}

function readText(text: string): string {
  if (typeof text !== "string" || text === "") throw mistake(text, "a name");
  return text;
}

function check(path: string, field: keyof Rule, found: string, allowed: readonly string[]): void {
  if (allowed.includes(found)) return;
  throw new RangeError(`Cannot use ${path}.${field}: ${mistake(found, allowed.join(" or ")).message}`);
}
