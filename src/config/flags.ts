/**
 * Settings from the command line.
 *
 * @module
 */

import type { Config } from "./config.ts";
import type { Layer } from "./layer.ts";

/** The flags as text, by the setting they are for; `users` holds what follows each `--user`. */
export type Flags = { readonly [Name in keyof Config]?: string | boolean | readonly string[] | undefined };

/**
 * The flag for a setting: `--idle-timeout` for `idleTimeout`. Those for lists bear the singular.
 *
 * @param setting The setting's name.
 */
export function flagName(setting: keyof Config): string {
  return setting === "users" ? "--user" : `--${setting.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/**
 * Makes a layer of flags.
 *
 * @param flags The flags that were given.
 */
export function flagsLayer(flags: Flags): Layer {
  const { users, ...others } = flags;
  const given = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined));
  return {
    settings: Array.isArray(users) ? { ...given, users: users.map(splitUser) } : given,
    nameOf(path) {
      const name = flagName(path[0] as keyof Config);
      const items = flags[path[0] as keyof Config];
      return typeof path[1] === "number" && Array.isArray(items) && items.length > 1
        ? `${name} (number ${path[1] + 1})`
        : name;
    },
    wordsFor([setting, index]) {
      const given = setting === "users" && Array.isArray(users) && typeof index === "number" ? users[index] : undefined;
      return given === undefined || given.includes(":") ? undefined : "found no colon, expected NAME:PASSWORD";
    },
  };
}

/** The first colon splits; without one the password is missing, which the schema tells. */
function splitUser(text: string): { name: string; password: string | undefined } {
  const colon = text.indexOf(":");
  if (colon < 0) return { name: text, password: undefined };
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
