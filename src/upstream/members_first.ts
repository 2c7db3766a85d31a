/**
 * Ways out in the order that they can be made in, with their names checked.
 *
 * @module
 */

import { mistake } from "../policy/mistake.ts";
import type { GroupUpstream, Upstream } from "./upstream.ts";

/** Ways out as an operator names them. */
export type Upstreams = Readonly<Record<string, Upstream>>;

/** The name of the way without a proxy. */
export const DIRECT = "direct";
/** The name of the way that leads nowhere. */
export const BLOCK = "block";

/** The name of a group's member. */
export function memberName(member: GroupUpstream["group"][number]): string {
  return typeof member === "string" ? member : member.name;
}

/**
 * Puts members of groups before the groups.
 *
 * @param upstreams What the operator wrote.
 * @returns The names.
 * @throws {RangeError} For a name that is none, is taken or is missing, and for a group within itself.
 */
export function membersFirst(upstreams: Upstreams): readonly string[] {
  const order: string[] = [];
  const visit = (name: string, trail: readonly string[]): void => {
    if (order.includes(name)) return;
    const path = `upstreams.${name}`;
    const upstream = upstreams[name];
    if (name === DIRECT || name === BLOCK || name === "") {
      throw wrong("upstreams", name, `another name than "${DIRECT}", "${BLOCK}" and ""`);
    }
    if (typeof upstream !== "object" || upstream === null || ("group" in upstream) === ("proxy" in upstream)) {
      throw wrong(path, upstream, "either proxy or group");
    }
    if ("group" in upstream) visitMembers(path, upstream, [...trail, name]);
    order.push(name);
  };
  const visitMembers = (path: string, { group }: GroupUpstream, trail: readonly string[]): void => {
    if (!Array.isArray(group) || group.length === 0) throw wrong(`${path}.group`, group, "a list of at least one name");
    const names: readonly string[] = group.map(memberName);
    for (const [at, member] of names.entries()) {
      const its = `${path}.group[${at}]`;
      if (names.indexOf(member) !== at) throw wrong(its, member, "each member once");
      if (member === DIRECT) continue;
      if (!Object.hasOwn(upstreams, member)) throw wrong(its, member, `"${DIRECT}" or the name of another way out`);
      if (trail.includes(member)) {
        throw wrong(its, member, `no group within itself (${[...trail, member].join(" → ")})`);
      }
      visit(member, trail);
    }
  };
  for (const name of Object.keys(upstreams)) visit(name, []);
  return order;
}

/** What stands somewhere and must not. */
export function wrong(where: string, found: unknown, expected: string): RangeError {
  return new RangeError(`Cannot use ${where}: ${mistake(found, expected).message}`);
}
