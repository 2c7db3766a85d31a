/**
 * Settings from the environment.
 *
 * @module
 */

import { type Flag, FLAGS, writtenLayer } from "./flags.ts";
import type { Layer } from "./layer.ts";
import { nearest } from "./nearest.ts";
import { printable } from "./printable.ts";

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that names the file. */
export const FILE_VARIABLE = "SOCKS_CONFIG";

/** What else of this program, or of others, begins like our variables. */
const OTHERS: readonly (string | RegExp)[] = [
  "SOCKS_BUN_FFI",
  "SOCKS_NPM_DIR",
  "SOCKS_RUNTIMES",
  "SOCKS_PROXY",
  "SOCKS_SERVER",
  "SOCKS_VERSION",
  /^SOCKS_(?:SERVICE_|PORT(?:_|$))/, // Kubernetes, for a service called socks
];

/**
 * The environment variable for a flag: `SOCKS_IDLE_TIMEOUT`.
 *
 * @param flag The flag.
 */
export function variableName({ name }: Flag): string {
  return `SOCKS_${name.replaceAll("-", "_").toUpperCase()}`;
}

/**
 * Makes a layer of the environment. Items of a list are separated by commas, users and ways out by the ends of lines. An
 * empty variable is one that is not set.
 *
 * @param environment The environment.
 */
export function environmentLayer(environment: Environment): Layer {
  return writtenLayer((flag) => {
    const text = environment[variableName(flag)];
    if (text === undefined || text.trim() === "") return undefined;
    if (flag.kind === "switch") return SWITCHES[text.trim().toLowerCase()] ?? text;
    if (flag.name === "user" || flag.name === "upstream") return text.split(/\r?\n/).filter((line) => line !== "");
    return flag.kind === "list" ? text.split(",").map((item) => item.trim()) : text;
  }, variableName);
}

const SWITCHES: Readonly<Record<string, boolean>> = { "true": true, "1": true, "false": false, "0": false };

/** What is wrong with the names of variables. */
export interface VariableFindings {
  /** Those that are nearly one of ours: a misspelt setting would be missing without a word. */
  readonly problems: readonly string[];
  /** Those that are like none of ours, and may well belong to somebody else. */
  readonly warnings: readonly string[];
}

/**
 * Looks for variables that begin with `SOCKS_` and are none of ours.
 *
 * @param environment The environment.
 * @param mentioned Variables that the settings name.
 */
export function strayVariables(environment: Environment, mentioned: ReadonlySet<string>): VariableFindings {
  const known = [...FLAGS.map(variableName), FILE_VARIABLE];
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const name of Object.keys(environment).sort()) {
    const isOurs = !name.startsWith("SOCKS_") || known.includes(name) || mentioned.has(name);
    if (isOurs || OTHERS.some((other) => typeof other === "string" ? other === name : other.test(name))) continue;
    const near = nearest(name.slice("SOCKS_".length), known.map((variable) => variable.slice("SOCKS_".length)));
    if (near !== undefined) problems.push(`${printable(name)}: unknown variable, did you mean SOCKS_${near}?`);
    else warnings.push(`${printable(name)}: unknown variable, ignored`);
  }
  return { problems, warnings };
}
