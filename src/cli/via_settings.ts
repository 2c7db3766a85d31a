/**
 * Ways out that settings name, for commands that go through them by themselves.
 *
 * @module
 */

import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config_error.ts";
import { describeFound } from "../config/found.ts";
import { loadConfig } from "../config/load.ts";
import { nearest } from "../config/nearest.ts";
import { isWayName } from "../config/upstream_setting.ts";
import type { Terminal } from "./terminal.ts";
import { readVia, type ViaArguments } from "./via_arguments.ts";

/**
 * What was given, with names of ways out replaced by their proxies; without any, the way out of the settings.
 *
 * @param given The flags.
 * @param terminal Where the program was started.
 * @returns URLs, and where they were written.
 * @throws {ConfigError} For a mistake in what was given, or in the settings.
 */
export async function readWays(
  given: ViaArguments & { readonly config?: string | undefined },
  terminal: Terminal,
): Promise<{ items: string[]; where: string }> {
  const { env, readFile, fileMode } = terminal;
  const { config } = await loadConfig({
    flags: {},
    env,
    file: given.config,
    readFile,
    fileMode,
    areForServer: false,
  });
  const written = given.via === undefined && given.viaFile === undefined
    ? { items: [...config.via ?? []], where: "via" }
    : await readVia(given, terminal);
  return {
    ...written,
    items: written.items.flatMap((item) => isWayName(item) ? urlsOf(item, config, written.where) : item),
  };
}

function urlsOf(name: string, { upstreams = [] }: Config, where: string): readonly string[] {
  const found = upstreams.find((upstream) => upstream.name === name);
  if (found === undefined) {
    const near = nearest(name, upstreams.map(({ name }) => name));
    const hint = near === undefined ? "the name of a way out, or a URL" : `did you mean ${near}?`;
    throw new ConfigError([`${where}: found ${describeFound(name)}, expected ${hint}`.replace("expected did", "did")]);
  }
  if ("proxy" in found) return found.proxy;
  throw new ConfigError([`${where}: found the group ${describeFound(name)}, expected a way with proxies`]);
}
