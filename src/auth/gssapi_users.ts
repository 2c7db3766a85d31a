/**
 * Principals and the users that they are here.
 *
 * @module
 */

import type { User } from "./client_info.ts";

/** A user that a principal becomes: its name, or more. */
export type GssapiUser = string | {
  /** The name. */
  readonly name: string;
  /** The groups it belongs to. */
  readonly groups?: readonly string[] | undefined;
};

/**
 * Principals, such as `alice@EXAMPLE.ORG`, and who they are here. A `*` in one stands for anything but `@`, and in the
 * name for what it stood for.
 */
export type GssapiUsers = Readonly<Record<string, GssapiUser>>;

/** Says who a principal is. */
export type UserOf = (principal: string) => User | undefined;

/**
 * Makes a map of principals to users. One that is there as it is counts before those with a `*`, which are tried in
 * their order.
 *
 * @param users The principals and users; without any, each principal is a user of that name.
 * @throws {RangeError} For a pattern with more than one `*`, or a name that is empty or has a `*` for none.
 */
export function gssapiUsers(users: GssapiUsers | undefined): UserOf {
  if (users === undefined) return (principal) => ({ name: principal, by: "gssapi", principal });
  const exact = new Map<string, GssapiUser>();
  const patterns: (readonly [before: string, after: string, user: GssapiUser])[] = [];
  for (const [principal, user] of Object.entries(users)) {
    const [before, after, ...more] = principal.split("*") as [string, string?, ...string[]];
    const name = nameOf(user);
    if (principal === "" || more.length > 0) throw wrong(principal, "a principal with one * at most");
    if (typeof name !== "string" || name === "") throw wrong(principal, "the name of a user for it");
    if (after === undefined && name.includes("*")) throw wrong(principal, "a name without a *: the principal has none");
    if (after === undefined) exact.set(principal, user);
    else patterns.push([before, after, user]);
  }
  return (principal) => {
    const known = exact.get(principal);
    if (known !== undefined) return made(known, principal, "");
    for (const [before, after, user] of patterns) {
      const isIt = principal.length > before.length + after.length && principal.startsWith(before) &&
        principal.endsWith(after);
      const middle = isIt ? principal.slice(before.length, principal.length - after.length) : "@";
      if (!middle.includes("@")) return made(user, principal, middle);
    }
    return undefined;
  };
}

function nameOf(user: GssapiUser): string {
  return typeof user === "string" ? user : user?.name;
}

function made(user: GssapiUser, principal: string, middle: string): User {
  const name = nameOf(user).replace("*", () => middle);
  const groups = typeof user === "string" ? undefined : user.groups;
  return { name, ...groups !== undefined && { groups }, by: "gssapi", principal };
}

function wrong(principal: string, expected: string): RangeError {
  return new RangeError(`Cannot use auth.gssapi.users: found ${JSON.stringify(principal)}, expected ${expected}`);
}
