/**
 * What `auth` says of methods and listeners.
 *
 * @module
 */

import type { MethodName } from "../server/methods.ts";
import type { Config } from "./config.ts";
import { type Finding, lost } from "./finding.ts";
import { describeFound } from "./found.ts";

/** What is known outside of `auth`. */
export interface MethodSurroundings {
  /** Whether all users are known. */
  readonly usersAreKnown: boolean;
  /** Whether there may be listeners that the settings do not name. */
  readonly hasOtherListeners: boolean;
}

/**
 * Looks for methods that cannot be offered, and for names that no listener has: these would be passed over in silence.
 *
 * @param config The settings.
 * @param surroundings What is known outside of them.
 */
export function checkMethods(
  { auth, users = [], listen = [] }: Config,
  { usersAreKnown, hasOtherListeners }: MethodSurroundings,
): readonly Finding[] {
  const lists: [readonly PropertyKey[], readonly MethodName[]][] = [
    [["auth", "methods"], auth?.methods ?? []],
    ...Object.entries(auth?.listeners ?? {}).map(([name, methods]): [PropertyKey[], readonly MethodName[]] => [
      ["auth", "listeners", name],
      methods,
    ]),
  ];
  const names = listen.flatMap(({ name }) => name ?? []);
  const lacks: Readonly<Record<MethodName, string | undefined>> = {
    none: undefined,
    gssapi: auth?.gssapi === undefined ? "auth.gssapi for it" : undefined,
    password: users.some(({ password }) => password !== undefined) ? undefined : "users with a password for it",
    chap: auth?.chap !== false && users.some(({ chapSecret }) => chapSecret !== undefined)
      ? undefined
      : "users with a chapSecret for it",
  };
  const isOfUsers = (method: MethodName): boolean => method === "password" || method === "chap";
  return [
    ...lists.flatMap(([path, methods]) =>
      methods.flatMap((method, index): readonly Finding[] => {
        const message = methods.indexOf(method) < index
          ? "a second time, expected it once"
          : lacks[method] !== undefined && (usersAreKnown || !isOfUsers(method))
          ? `expected ${lacks[method]}`
          : undefined;
        if (message === undefined) return [];
        const found = `found ${describeFound(method)}${message.startsWith("a ") ? " " : ", "}${message}`;
        return [{ path: [...path, index], message: found, isWarning: false }];
      })
    ),
    ...lists.slice(1).flatMap(([path]): readonly Finding[] => {
      const name = String(path[2]);
      if (hasOtherListeners || names.includes(name)) return [];
      return [{ path, message: lost(name, "listener", names), isWarning: false }];
    }),
  ];
}
