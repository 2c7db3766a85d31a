import { assertRejects } from "@std/assert";
import type { Config } from "../../src/config/config.ts";
import { ConfigError } from "../../src/config/config_error.ts";
import type { Flags } from "../../src/config/flags.ts";
import { loadConfig } from "../../src/config/load.ts";

/** Loads flags over a file of that content: a value, or the text itself. */
export function load(flags: Flags, content?: unknown, file = "config.json"): Promise<Config> {
  const text = typeof content === "string" ? content : JSON.stringify(content);
  return loadConfig({
    flags,
    file: content === undefined ? undefined : file,
    readFile: () => Promise.resolve(new TextEncoder().encode(text)),
  });
}

/** The problems of flags over a file. */
export async function problems(flags: Flags, content?: unknown, file?: string): Promise<readonly string[]> {
  return (await assertRejects(() => load(flags, content, file), ConfigError)).problems;
}
