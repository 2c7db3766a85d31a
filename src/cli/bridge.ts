/**
 * The settings of a bridge.
 *
 * @module
 */

import { ConfigError } from "../config/config_error.ts";
import type { Flags } from "../config/flags.ts";
import { EXPOSURE_ADVICE, loadConfig } from "../config/load.ts";
import { printable } from "../config/printable.ts";
import type { ReadFile } from "../config/read_text.ts";
import type { BridgeArguments } from "./bridge_command.ts";
import type { Loaded, ServeStart } from "./start.ts";
import type { Terminal } from "./terminal.ts";
import { proxiesOf, readVia } from "./via_arguments.ts";

/**
 * What a bridge serves with.
 *
 * @param given What was given on the command line.
 * @param terminal Where the program was started.
 * @throws {ConfigError} For a mistake in what was given.
 */
export async function bridgeStart(given: BridgeArguments, terminal: Terminal): Promise<ServeStart> {
  const load = (readFile: ReadFile): Promise<Loaded> => loadBridge(given, terminal, readFile);
  return { ...await load(terminal.readFile), load };
}

async function loadBridge(given: BridgeArguments, terminal: Terminal, readFile: ReadFile): Promise<Loaded> {
  const { via: _via, viaFile, lookupHere, ...flags } = given;
  const { env, fileMode } = terminal;
  const via = await readVia(given, { ...terminal, readFile });
  if (via.items.length === 0) throw new ConfigError(["Found no proxy, expected --via URL, or one in SOCKS_VIA"]);
  proxiesOf(via); // its mistakes are told where they were made
  const urls = via.items.map((url, at) => lookupHere === true || at < via.items.length - 1 ? url : leavingNames(url));
  // A comma in a flag would begin another proxy.
  const settings = { ...flags, via: urls.map((url) => url.replaceAll(",", "%2C")), mixed: true } as Flags;
  const sources = { flags: settings, env: without(env), readFile, fileMode };
  const { config, warnings } = await loadConfig(sources).catch((error) => {
    throw error instanceof ConfigError ? new ConfigError(error.problems.map(inBridgeWords)) : error;
  });
  return { config, warnings: [...warnings, ...await exposed(viaFile, terminal)] };
}

/** A browser's names are nobody's business here. SOCKS4 is left alone: not every server of it takes names. */
function leavingNames(url: string): string {
  return url.replace(/^socks5(?=[+:])/i, "socks5h");
}

/** Nobody logs in to a bridge. */
function inBridgeWords(problem: string): string {
  return problem.replace(EXPOSURE_ADVICE, "serve everybody on purpose (--open), or listen on loopback");
}

/** A bridge has no file of settings. */
function without(env: Terminal["env"]): Terminal["env"] {
  const { SOCKS_CONFIG: _file, ...rest } = env;
  return rest;
}

async function exposed(file: string | undefined, { fileMode }: Terminal): Promise<readonly string[]> {
  const mode = file === undefined ? undefined : await fileMode?.(file).catch(() => undefined);
  if (mode === undefined || (mode & 0o004) === 0) return [];
  return [`--via-file: ${printable(file!)} can be read by everybody on this machine (chmod o-r)`];
}
