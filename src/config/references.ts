/**
 * What settings say of each other.
 *
 * @module
 */

import type { GssapiUser } from "../auth/gssapi_users.ts";
import type { Limit } from "../policy/limit.ts";
import type { Rule } from "../policy/rule.ts";
import type { Config, ListenEntry } from "./config.ts";
import { type Finding, lost } from "./finding.ts";
import { checkForwards } from "./forward_references.ts";
import { describeFound } from "./found.ts";
import { checkListeners } from "./listener_references.ts";
import { checkOwnProxies } from "./own_proxies.ts";
import { checkWays } from "./upstream_references.ts";

/** What is known only outside of the settings. */
export interface ReferenceOptions {
  /** Whether listeners come from elsewhere, too, with names of their own. */
  readonly hasOtherListeners: boolean;
  /** Whether the ways out could all be read. */
  readonly areWaysKnown: boolean;
  /** Whether a server listens where they say. */
  readonly areForServer: boolean;
}

type Conditions = Pick<Rule, "listeners" | "users" | "groups">;

/**
 * Looks for listeners that nothing listens on or that never apply, users and groups that nobody is or belongs to, ways
 * out that are not there, names of limits that stand for two, and rules that no request comes to.
 *
 * @param config The settings.
 * @param options What is known only outside of them.
 */
export function checkReferences(
  config: Config,
  { hasOtherListeners, areWaysKnown, areForServer }: ReferenceOptions,
): readonly Finding[] {
  const { rules = [], limits = [] } = config;
  const places: [readonly PropertyKey[], Conditions][] = [
    ...rules.map((rule, index): [PropertyKey[], Rule] => [["rules", index], rule]),
    ...rules.flatMap((rule, index): [PropertyKey[], Limit][] =>
      rule.limits === undefined ? [] : [[["rules", index, "limits"], rule.limits]]
    ),
    ...limits.map((limit, index): [PropertyKey[], Limit] => [["limits", index], limit]),
  ];
  return [
    ...hasOtherListeners
      ? []
      : places.flatMap(([path, { listeners = [] }]) => checkListeners(path, listeners, listenersOf(config))),
    ...areWaysKnown ? checkWays(config) : [],
    ...areWaysKnown && areForServer && !hasOtherListeners ? checkOwnProxies(config, ownListeners(config)) : [],
    ...checkForwards(config),
    ...people(places, config),
    ...repeatedNames(places.filter(([path]) => path[0] === "limits" || path.length === 3) as [PropertyKey[], Limit][]),
    ...unreached(rules),
  ];
}

const DEFAULT_LISTENERS: readonly ListenEntry[] = [{ address: "127.0.0.1:1080" }];

/** With forwards, nothing is listened on that is not said. */
function ownListeners({ listen, forwards = [] }: Config): readonly ListenEntry[] {
  return listen ?? (forwards.length > 0 ? [] : DEFAULT_LISTENERS);
}

function listenersOf(config: Config): readonly ListenEntry[] {
  return [...ownListeners(config), ...(config.forwards ?? []).map(({ listen }) => listen)];
}

/** More names than these are found missing without a guess at what was meant: there may be thousands, among thousands. */
const MOST_GUESSES = 20;

/** Users and groups that nobody is or belongs to. */
function people(places: readonly (readonly [readonly PropertyKey[], Conditions])[], config: Config): Finding[] {
  const principals = principalsOf(config);
  const known = [...config.users ?? [], ...principals];
  const mayBeAnyone = principals.some(({ name }) => name.includes("*"));
  const [users, groups] = [new Set<string>(), new Set<string>()];
  for (const user of known) {
    users.add(user.name);
    for (const group of user.groups ?? []) groups.add(group);
  }
  const all = { users: [...users], groups: [...groups] };
  const found: Finding[] = [];
  const look = (
    path: readonly PropertyKey[],
    key: "users" | "groups",
    names: readonly string[],
    what: string,
  ): void => {
    names.forEach((name, index) => {
      if ((key === "users" ? users : groups).has(name) || key === "users" && (name === "*" || mayBeAnyone)) return;
      const message = lost(name, what, all[key], found.length < MOST_GUESSES);
      found.push({ path: [...path, key, index], message, isWarning: true });
    });
  };
  for (const [path, conditions] of places) {
    look(path, "users", conditions.users ?? [], "user");
    look(path, "groups", conditions.groups ?? [], "user's group");
  }
  return found;
}

/** The users that GSSAPI names; a `*` in a name stands for any. */
function principalsOf(
  { auth }: Config,
): readonly { readonly name: string; readonly groups?: readonly string[] | undefined }[] {
  if (auth?.gssapi === undefined) return [];
  const users: readonly GssapiUser[] = Object.values(auth.gssapi.users ?? { "*": "*" });
  return users.map((user) => typeof user === "string" ? { name: user } : user);
}

/** Counts are kept under the name. */
function repeatedNames(limits: readonly [readonly PropertyKey[], Limit][]): Finding[] {
  const names = new Set<string>();
  return limits.flatMap(([path, { name }]) => {
    if (name === undefined) return [];
    const isTaken = names.has(name);
    names.add(name);
    const message = `found ${describeFound(name)} a second time: what both count is added up`;
    return isTaken ? { path: [...path, "name"], message, isWarning: true } : [];
  });
}

const CONDITIONS = ["from", "listeners", "users", "groups", "commands", "to", "ports", "times"] as const;

function unreached(rules: readonly Rule[]): Finding[] {
  const all = rules.findIndex((rule) => CONDITIONS.every((condition) => rule[condition] === undefined));
  if (all < 0 || all === rules.length - 1) return [];
  const message = `no request comes to it: rules[${all}] has no conditions and decides on all`;
  return [{ path: ["rules", all + 1], message, isWarning: true }];
}
