/**
 * Settings from the command line.
 *
 * @module
 */

import type { Config } from "./config.ts";
import type { Layer } from "./layer.ts";

/** A setting that can be given as a flag and as an environment variable. */
export interface Flag {
  /** Its name without the hyphens before it: `idle-timeout`. */
  readonly name: string;
  /** Where the setting stands. */
  readonly path: readonly [keyof Config, string?];
  /** How it is written: some text, a number, nothing (`true`), or given once for each item. */
  readonly kind: "text" | "count" | "switch" | "list";
}

/** All flags that are settings. Those for lists bear the singular where that is another word. */
export const FLAGS: readonly Flag[] = [
  { name: "listen", path: ["listen"], kind: "list" },
  { name: "user", path: ["users"], kind: "list" },
  { name: "users-file", path: ["usersFile"], kind: "text" },
  { name: "otherwise", path: ["otherwise"], kind: "text" },
  { name: "outgoing-address", path: ["outgoing", "addresses"], kind: "list" },
  { name: "prefer", path: ["outgoing", "prefer"], kind: "text" },
  { name: "upstream", path: ["upstreams"], kind: "list" },
  { name: "via", path: ["via"], kind: "list" },
  { name: "forward", path: ["forwards"], kind: "list" },
  { name: "resolver", path: ["resolver", "servers"], kind: "list" },
  { name: "handshake-timeout", path: ["handshakeTimeout"], kind: "text" },
  { name: "connect-timeout", path: ["connectTimeout"], kind: "text" },
  { name: "bind-timeout", path: ["bindTimeout"], kind: "text" },
  { name: "idle-timeout", path: ["idleTimeout"], kind: "text" },
  { name: "drain-timeout", path: ["drainTimeout"], kind: "text" },
  { name: "max-sessions", path: ["bounds", "sessions"], kind: "count" },
  { name: "advertise", path: ["advertise"], kind: "text" },
  { name: "udp-ports", path: ["udpPorts"], kind: "text" },
  { name: "mixed", path: ["mixed"], kind: "switch" },
  { name: "ident", path: ["ident"], kind: "switch" },
  { name: "trust-user-ids", path: ["trustUserIds"], kind: "switch" },
  { name: "resolve-commands", path: ["resolveCommands"], kind: "switch" },
  { name: "allow-private", path: ["allowPrivate"], kind: "switch" },
  { name: "open", path: ["open"], kind: "switch" },
  { name: "log-level", path: ["logLevel"], kind: "text" },
  { name: "log-format", path: ["logFormat"], kind: "text" },
  { name: "log-file", path: ["logFile"], kind: "text" },
  { name: "reload", path: ["reload"], kind: "text" },
  { name: "watch", path: ["watch"], kind: "switch" },
  { name: "run-as", path: ["runAs"], kind: "text" },
];

/** What was given, by the flags' names in camelCase; lists as what follows each. */
export type Flags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/**
 * The name of a flag as programs for command lines write it: `idleTimeout`.
 *
 * @param flag The flag.
 */
export function flagKey({ name }: Flag): string {
  return name.replaceAll(/-([a-z])/g, (_match, letter: string) => letter.toUpperCase());
}

/**
 * Makes a layer of flags.
 *
 * @param flags The flags that were given.
 */
export function flagsLayer(flags: Flags): Layer {
  return writtenLayer((flag) => flags[flagKey(flag)], ({ name }) => `--${name}`);
}

/**
 * Makes a layer of settings that were each written as text.
 *
 * @param given What was written for a flag.
 * @param nameOf What the operator calls it.
 */
export function writtenLayer(
  given: (flag: Flag) => string | boolean | readonly string[] | undefined,
  nameOf: (flag: Flag) => string,
): Layer {
  const settings: Record<string, unknown> = {};
  for (const flag of FLAGS) {
    const value = given(flag);
    if (value === undefined) continue;
    const [setting, key] = flag.path;
    const read = flag.kind === "list" ? readItems(flag.name, value as readonly string[]) : readWritten(flag, value);
    settings[setting] = key === undefined ? read : { ...settings[setting] as object, [key]: read };
  }
  return {
    settings,
    nameOf(path) {
      const flag = flagAt(path);
      if (flag === undefined) return String(path[0]);
      const index = path[flag.path.length];
      const [setting, key] = flag.path;
      const items = key === undefined ? settings[setting] : (settings[setting] as Record<string, unknown>)[key];
      const isOneOfMany = typeof index === "number" && Array.isArray(items) && items.length > 1;
      return isOneOfMany ? `${nameOf(flag)} (number ${index + 1})` : nameOf(flag);
    },
    wordsFor([setting, index]) {
      const flag = FLAGS.find(({ path }) => path[0] === setting)!;
      const words = WITHOUT_SEPARATOR[flag.name];
      if (words === undefined || typeof index !== "number") return undefined;
      return (given(flag) as readonly string[])[index]!.includes(words.separator) ? undefined : words.problem;
    },
    pathFrom: (path) => path,
  };
}

function flagAt(path: readonly PropertyKey[]): Flag | undefined {
  return FLAGS.find((flag) => flag.path.every((key, index) => key === path[index])) ??
    FLAGS.find((flag) => flag.path[0] === path[0]);
}

/** Numbers are text here; what is none is left for the schema to tell. */
function readWritten({ kind }: Flag, value: string | boolean | readonly string[]): unknown {
  return kind === "count" && typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : value;
}

/** Items that have parts, and what to say of those that have not. */
const WITHOUT_SEPARATOR: Readonly<Record<string, { readonly separator: string; readonly problem: string }>> = {
  user: { separator: ":", problem: "found no colon, expected NAME:PASSWORD" },
  upstream: { separator: "=", problem: "found no equals sign, expected NAME=URL" },
  forward: { separator: "=", problem: "found no equals sign, expected LISTEN=HOST:PORT" },
};

function readItems(name: string, items: readonly string[]): unknown {
  switch (name) {
    case "user":
      return items.map(splitUser);
    case "upstream":
      return items.map(splitUpstream);
    case "via":
      return items.flatMap(splitChain);
    case "forward":
      return items.map(splitForward);
    default:
      return items;
  }
}

/** A comma in a password is written %2C. */
function splitChain(text: string): string[] {
  return text.split(",").map((item) => item.trim());
}

/** Without an equals sign the proxies are missing, which the schema tells. */
function splitUpstream(text: string): { name: string; proxy?: string[] } {
  const equals = text.indexOf("=");
  return equals < 0
    ? { name: text }
    : { name: text.slice(0, equals).trim(), proxy: splitChain(text.slice(equals + 1)) };
}

/** The path of a UNIX socket may have equals signs, the target has none. */
function splitForward(text: string): { listen: string; to?: string; protocol?: string } {
  const [, protocol, rest] = /^(?:(tcp|udp):)?(.*)$/s.exec(text) as unknown as [string, string | undefined, string];
  const equals = rest.lastIndexOf("=");
  const listen = equals < 0 ? rest : rest.slice(0, equals);
  return { listen, ...equals >= 0 && { to: rest.slice(equals + 1) }, ...protocol === "udp" && { protocol } };
}

/** The first colon splits; without one the password is missing, which the schema tells. */
function splitUser(text: string): { name: string; password: string | undefined } {
  const colon = text.indexOf(":");
  if (colon < 0) return { name: text, password: undefined };
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
