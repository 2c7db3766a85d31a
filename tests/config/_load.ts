import { assertRejects } from "@std/assert";
import type { Config } from "../../src/config/config.ts";
import { ConfigError } from "../../src/config/config_error.ts";
import type { Flags } from "../../src/config/flags.ts";
import { loadConfig } from "../../src/config/load.ts";

/** Reads from these files and no others. */
export function filesOf(files: Readonly<Record<string, string>>): (path: string) => Promise<Uint8Array> {
  return (path) =>
    Object.hasOwn(files, path)
      ? Promise.resolve(new TextEncoder().encode(files[path]))
      : Promise.reject(Object.assign(new Error(path), { code: "ENOENT" }));
}

/** Loads flags over a file of that content: a value, or the text itself. */
export async function load(flags: Flags, content?: unknown, file = "config.json"): Promise<Config> {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  const readFile = () => Promise.resolve(new TextEncoder().encode(text));
  return (await loadConfig({ flags, file: content === undefined ? undefined : file, readFile })).config;
}

/** The problems of flags over a file, without the places in it. */
export async function problems(flags: Flags, content?: unknown, file?: string): Promise<readonly string[]> {
  const { problems } = await assertRejects(() => load(flags, content, file), ConfigError);
  return problems.map((problem) => problem.replace(/^(config\.json):\d+:\d+: (?=[\w$[\].]+: )/, "$1: "));
}
