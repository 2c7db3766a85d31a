/**
 * Rules, found by what they are about instead of being asked one by one.
 *
 * @module
 */

import { formatCidr } from "../net/cidr.ts";
import type { ConditionKey } from "./condition.ts";
import { PrefixTable } from "./prefix_table.ts";
import type { Question } from "./question.ts";

/** A rule for the index. */
export interface IndexedRule {
  /** Where it stands among the rules. */
  readonly position: number;
  /** The lists of keys that it could be found by; one is chosen. With none it is asked every time. */
  readonly choices: readonly (readonly ConditionKey[])[];
}

/** Positions of rules, ascending. */
type Positions = number[];

/** Finds the rules that may apply to a question, under the rarest of their keys. */
export class RuleIndex {
  readonly #always: Positions = [];
  readonly #users = new Map<string, Positions>();
  readonly #groups = new Map<string, Positions>();
  readonly #listeners = new Map<string, Positions>();
  readonly #names = new Map<string, Positions>();
  readonly #unders = new Map<string, Positions>();
  readonly #ports = new Map<number, Positions>();
  readonly #clients = new PrefixTable<Positions>();
  readonly #addresses = new PrefixTable<Positions>();
  #hasClients = false;
  /** Where lists of positions are gathered; kept, since rules are asked often and never two questions at a time. */
  readonly #found: Positions[] = [];

  /** @param rules The rules, in order. */
  constructor(rules: readonly IndexedRule[]) {
    const uses = new Map<string, number>();
    for (const { choices } of rules) {
      for (const key of choices.flat()) uses.set(textOf(key), (uses.get(textOf(key)) ?? 0) + 1);
    }
    const crowd = (keys: readonly ConditionKey[]) =>
      keys.reduce((most, key) => Math.max(most, uses.get(textOf(key))!), 0);
    for (const { position, choices } of rules) {
      const [rarest] = choices.map((keys) => ({ keys, crowd: crowd(keys) })).sort((one, two) => one.crowd - two.crowd);
      if (rarest === undefined) this.#always.push(position);
      else for (const key of rarest.keys) this.#add(key, position);
    }
  }

  /**
   * The first rule that passes a test.
   *
   * @param question What is asked.
   * @param passes The test. It need not be passed by what the rule does not apply to.
   * @param before Only rules before this position are tried.
   * @returns Its position, or `before` if there is none.
   */
  first(question: Question, passes: (position: number) => boolean, before: number): number {
    const found = this.#found;
    found.length = 0;
    this.#gather(question, found);
    found.push(this.#always);
    let first = before;
    for (let i = 0; i < found.length; i++) {
      const positions = found[i]!;
      for (let j = 0; j < positions.length && positions[j]! < first; j++) {
        if (passes(positions[j]!)) first = positions[j]!;
      }
    }
    return first;
  }

  #gather(question: Question, found: Positions[]): void {
    const { request, name, ip, outer, port } = question;
    if (request.user !== undefined) {
      add(this.#users, request.user.name, found);
      for (const group of request.user.groups ?? []) add(this.#groups, group, found);
    }
    if (this.#listeners.size > 0) {
      add(this.#listeners, request.listenerName, found);
      if (question.listener !== request.listenerName) add(this.#listeners, question.listener, found);
    }
    add(this.#ports, port, found);
    if (this.#hasClients && question.client !== undefined) this.#clients.collect(question.client, found);
    if (ip !== undefined) this.#addresses.collect(ip, found);
    if (outer !== undefined) this.#addresses.collect(outer, found);
    if (name === undefined) return;
    add(this.#names, name, found);
    if (this.#unders.size === 0) return;
    for (let at = 0; at >= 0;) {
      add(this.#unders, at === 0 ? name : name.slice(at), found);
      const dot = name.indexOf(".", at);
      at = dot < 0 ? -1 : dot + 1;
    }
  }

  #add(key: ConditionKey, position: number): void {
    this.#hasClients ||= key.by === "client";
    const positions = this.#positions(key);
    if (positions.at(-1) !== position) positions.push(position); // two items of a rule may be the same
  }

  #positions(key: ConditionKey): Positions {
    switch (key.by) {
      case "user":
        return at(this.#users, key.value);
      case "group":
        return at(this.#groups, key.value);
      case "listener":
        return at(this.#listeners, key.value);
      case "name":
        return at(this.#names, key.value);
      case "under":
        return at(this.#unders, key.value);
      case "port":
        return at(this.#ports, key.value);
      case "client":
        return this.#clients.at(key.value, () => []);
      case "address":
        return this.#addresses.at(key.value, () => []);
    }
  }
}

function at<K>(map: Map<K, Positions>, key: K): Positions {
  let positions = map.get(key);
  if (positions === undefined) map.set(key, positions = []);
  return positions;
}

function add<K>(map: Map<K, Positions>, key: K | undefined, found: Positions[]): void {
  if (key === undefined || map.size === 0) return;
  const positions = map.get(key);
  if (positions !== undefined) found.push(positions);
}

function textOf(key: ConditionKey): string {
  return `${key.by} ${typeof key.value === "object" ? formatCidr(key.value) : key.value}`;
}
