/**
 * What settings say of ways out.
 *
 * @module
 */

import { parseProxy, resolvesNames } from "../client/proxy.ts";
import { Isolation } from "../upstream/isolation.ts";
import type { Config, UpstreamEntry } from "./config.ts";
import { type Finding, lost } from "./finding.ts";
import { describeFound } from "./found.ts";
import { printable } from "./printable.ts";
import { isWayName, OWN_WAYS } from "./upstream_setting.ts";

type GroupEntry = Extract<UpstreamEntry, { readonly group: unknown }>;

/**
 * Looks for ways out that are not there, that nobody takes, that lead back to themselves, and whose logins cannot be
 * made; and for groups that look names up here for some of their members' sake.
 *
 * @param config The settings.
 */
export function checkWays(config: Config): readonly Finding[] {
  const { rules = [], upstreams = [], via = [], forwards = [] } = config;
  const groups = upstreams.filter(isGroup);
  const known = [...OWN_WAYS, ...upstreams.map(({ name }) => name)];
  const taken: (readonly [readonly PropertyKey[], string])[] = [
    ...rules.flatMap(({ via }, index) => via === undefined ? [] : [[["rules", index, "via"], via] as const]),
    ...forwards.flatMap(({ via }, index) => via === undefined ? [] : [[["forwards", index, "via"], via] as const]),
    ...via.length === 1 && isWayName(via[0]!) ? [[["via"], via[0]!] as const] : [],
  ];
  const missing = taken.filter(([, name]) => !known.includes(name))
    .map(([path, name]) => ({ path, message: lost(name, "way out", known), isWarning: false }));
  const members = upstreams.flatMap((entry, index) => isGroup(entry) ? missingMembers(entry, index, upstreams) : []);
  const loops = upstreams.flatMap((entry, index) => isGroup(entry) ? loopOf(entry, index, groups) : []);
  const templates = upstreams.flatMap((entry, index) => isGroup(entry) ? [] : wrongTemplates(entry, index));
  const wrong = [...missing, ...members, ...loops, ...templates];
  if (wrong.length > 0) return wrong;
  const reached = new Set([...taken.map(([, name]) => name), ...groups.flatMap(({ group }) => group.map(nameOf))]);
  return upstreams.flatMap((entry, index): Finding[] => {
    const warn = (key: string, message: string): Finding => ({
      path: ["upstreams", index, key],
      message,
      isWarning: true,
    });
    return [
      ...reached.has(entry.name) ? [] : [warn("name", `found ${describeFound(entry.name)}, which nothing takes`)],
      ...isGroup(entry) && isHalfBlind(entry, upstreams) ? [warn("group", HALF_BLIND)] : [],
    ];
  });
}

const HALF_BLIND = "found ways that leave names to others beside ways that do not: all names are looked up here";

function nameOf(member: GroupEntry["group"][number]): string {
  return typeof member === "string" ? member : member.name;
}

function isGroup(entry: UpstreamEntry): entry is GroupEntry {
  return "group" in entry;
}

function missingMembers({ group }: GroupEntry, index: number, upstreams: readonly UpstreamEntry[]): Finding[] {
  const known = ["direct", ...upstreams.map(({ name }) => name)];
  return group.flatMap((member, at) => {
    const name = nameOf(member);
    if (known.includes(name)) return [];
    const path = ["upstreams", index, "group", at, ...typeof member === "string" ? [] : ["name"]];
    return {
      path,
      message: lost(name, "way out", known.filter((one) => one !== upstreams[index]!.name)),
      isWarning: false,
    };
  });
}

/** What is wrong with the logins of sessions. */
function wrongTemplates({ proxy, isolate }: Exclude<UpstreamEntry, GroupEntry>, index: number): Finding[] {
  const last = proxy.at(-1);
  if (isolate === undefined || last === undefined) return [];
  try {
    new Isolation(isolate, parseProxy(last));
    return [];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const [, key, message] = /^isolate\.(user|password): (.*)$/s.exec(error.message) ?? [, "user", error.message];
    return [{ path: ["upstreams", index, "isolate", key!], message: message!, isWarning: false }];
  }
}

/** Whether the group comes back to itself; told of the first of those that do. */
function loopOf(entry: GroupEntry, index: number, groups: readonly GroupEntry[]): Finding[] {
  const find = (name: string, trail: readonly string[]): readonly string[] | undefined => {
    if (name === entry.name) return [...trail, name];
    if (trail.includes(name)) return undefined;
    const next = groups.find((group) => group.name === name);
    for (const member of next?.group ?? []) {
      const loop = find(nameOf(member), [...trail, name]);
      if (loop !== undefined) return loop;
    }
    return undefined;
  };
  for (const [at, member] of entry.group.entries()) {
    const loop = find(nameOf(member), [entry.name]);
    if (loop === undefined) continue;
    const isFirst = loop.every((name) => groups.findIndex((group) => group.name === name) >= groups.indexOf(entry));
    if (!isFirst) continue;
    const message = `found ${describeFound(nameOf(member))}, which leads back to this group ` +
      `(${loop.map(printable).join(" → ")}), expected a way that does not`;
    return [{ path: ["upstreams", index, "group", at], message, isWarning: false }];
  }
  return [];
}

/**
 * Whether a request's name is left to somebody else.
 *
 * @param config The settings.
 * @param via The way out that it takes, by name; absent for what no rule says another for.
 */
export function leavesNames({ upstreams = [], via: standard = ["direct"] }: Config, via?: string): boolean {
  const name = via ?? (standard.length === 1 && isWayName(standard[0]!) ? standard[0]! : undefined);
  if (name === undefined) return resolvesNames(parseProxy(standard.at(-1)!));
  return name === "block" || keepsNames(name, upstreams);
}

/** Whether names are looked up here, though some of the members would not have it. */
function isHalfBlind(entry: GroupEntry, upstreams: readonly UpstreamEntry[]): boolean {
  const keeping = entry.group.map((member) => keepsNames(nameOf(member), upstreams));
  return keeping.includes(true) && keeping.includes(false);
}

function keepsNames(name: string, upstreams: readonly UpstreamEntry[]): boolean {
  const entry = upstreams.find((one) => one.name === name);
  if (entry === undefined) return false; // direct
  if (isGroup(entry)) return entry.group.every((member) => keepsNames(nameOf(member), upstreams));
  const last = entry.proxy.at(-1);
  return last === undefined || resolvesNames(parseProxy(last));
}
