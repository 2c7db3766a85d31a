/**
 * Whether a way is still what it was.
 *
 * @module
 */

import { DIRECT } from "./members_first.ts";
import type { WayOut } from "./way_out.ts";

/**
 * Whether what goes by one way might as well go by another: it is the same, or both are groups that have the member in
 * common by which it goes.
 *
 * @param before The way that was taken; absent is the direct one.
 * @param after The way that would be taken now.
 * @param by The member of the way that connected, if it is a group; `outer/inner` of groups within groups.
 */
export function isSameWay(before: WayOut | undefined, after: WayOut | undefined, by: string | undefined): boolean {
  if (before === after) return true;
  if (before === undefined || after === undefined || by === undefined) return false;
  const slash = by.indexOf("/");
  const member = slash < 0 ? by : by.slice(0, slash);
  const [its, now] = [before.member?.(member), after.member?.(member)];
  if (its === undefined || now === undefined) return false;
  if (its.name === DIRECT && now.name === DIRECT) return true; // each group has one of its own
  return isSameWay(its, now, slash < 0 ? undefined : by.slice(slash + 1));
}
