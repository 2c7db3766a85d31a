import { type CaseName, CASES } from "./cases.ts";
import { parseArgs } from "node:util";

/** The names of all servers that can be asked for. */
export const SERVER_NAMES: readonly string[] = ["deno", "bun", "node", "node24", "microsocks", "dante", "ssh"];

/** Each needs a port of its own on either side of the server, and the system has about 28,000 to give. */
const MOST_IDLE_TUNNELS = 25_000;

/** What the command line asks for. */
export interface Options {
  /** How often every server is measured in every case. */
  readonly rounds: number;
  /** The length of one measurement in seconds; the idle case has none. */
  readonly seconds: number;
  /** The cases, in order. */
  readonly cases: readonly CaseName[];
  /** The servers, in order; undefined for all there are. */
  readonly servers: readonly string[] | undefined;
  /** How many idle tunnels to open. */
  readonly idleTunnels: number;
  /** Whether to print JSON with every single figure, in place of tables. */
  readonly json: boolean;
  /** Whether to print the usage alone. */
  readonly help: boolean;
}

/** The usage, for `--help`. */
export const USAGE = `Usage: deno task bench [OPTION…]

Compares this project's server on Deno, Bun and Node with the SOCKS servers that are installed. Linux only.

  --rounds N          how often every server is measured (default 3)
  --seconds S         the length of one measurement (default 1.5)
  --cases LIST        of ${CASES.map(({ name }) => name).join(",")} (default all)
  --servers LIST      of ${SERVER_NAMES.join(",")} (default all there are)
  --idle-tunnels N    how many tunnels the idle case opens (default 2000)
  --json              every single figure, as JSON

DENO, BUN, NODE and NODE24 in the environment name other programs than the PATH does; Node 24 is measured if NODE24 is set.`;

/**
 * Reads the command line.
 *
 * @throws {TypeError} If it is not understood.
 */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string", default: "3" },
      seconds: { type: "string", default: "1.5" },
      cases: { type: "string" },
      servers: { type: "string" },
      "idle-tunnels": { type: "string", default: "2000" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  return {
    rounds: count("--rounds", values.rounds, 1, 1000),
    seconds: seconds(values.seconds),
    cases: values.cases === undefined ? CASES.map(({ name }) => name) : list(values.cases).map(caseName),
    servers: values.servers === undefined ? undefined : list(values.servers).map(serverName),
    idleTunnels: count("--idle-tunnels", values["idle-tunnels"], 1, MOST_IDLE_TUNNELS),
    json: values.json,
    help: values.help,
  };
}

function count(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new TypeError(`Cannot take ${flag} "${text}": expected a whole number from ${least} to ${most}`);
}

function seconds(text: string): number {
  const value = Number(text);
  // A process's CPU time is told in steps of 10 ms: shorter measurements tell too little.
  if (value >= 0.5 && value <= 60) return value;
  throw new TypeError(`Cannot take --seconds "${text}": expected a number from 0.5 to 60`);
}

function list(text: string): string[] {
  return [...new Set(text.split(",").map((name) => name.trim()).filter((name) => name !== ""))];
}

function caseName(text: string): CaseName {
  const found = CASES.find(({ name }) => name === text);
  if (found) return found.name;
  throw new TypeError(`Cannot take --cases "${text}": expected any of ${CASES.map(({ name }) => name).join(", ")}`);
}

function serverName(text: string): string {
  if (SERVER_NAMES.includes(text)) return text;
  throw new TypeError(`Cannot take --servers "${text}": expected any of ${SERVER_NAMES.join(", ")}`);
}
