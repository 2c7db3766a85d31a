/**
 * The proxies that commands go through, from flags, files and the environment.
 *
 * @module
 */

import { type Command, Option } from "commander";
import { parseProxy, type Proxy } from "../client/proxy.ts";
import { ConfigError } from "../config/config_error.ts";
import { printable } from "../config/printable.ts";
import { readText } from "../config/read_text.ts";
import type { Terminal } from "./terminal.ts";

/** What was given on the command line. */
export interface ViaArguments {
  /** What follows each `--via`. */
  readonly via?: readonly string[] | undefined;
  /** What follows `--via-file`. */
  readonly viaFile?: string | undefined;
}

/** The variable that says it where no flag does. */
export const VIA_VARIABLE = "SOCKS_VIA";

/**
 * Adds `--via` and `--via-file`.
 *
 * @param command The command that takes them.
 * @param what What `--via` takes, in words.
 */
export function addViaFlags(command: Command, what: string): void {
  const via = new Option("--via <URL>", `${what} (repeatable: a chain, the nearest first)`);
  command.addOption(via.argParser((value: string, former: string[] = []) => [...former, value]));
  command.option("--via-file <FILE>", "a file with the URLs, one a line, so that nobody sees their passwords in ps");
}

/**
 * What was given, as single URLs or names. A comma before a scheme separates two of them.
 *
 * @param given The flags.
 * @param terminal Where the program was started.
 * @returns What was written, and where; nothing if there is nothing.
 * @throws {ConfigError} If the file cannot be read, or both flags are there.
 */
export async function readVia(given: ViaArguments, terminal: Terminal): Promise<{ items: string[]; where: string }> {
  const { via, viaFile } = given;
  if (viaFile !== undefined) {
    if (via !== undefined) throw new ConfigError(["--via-file: found --via as well, expected one of them"]);
    const found = await readText(viaFile, terminal.readFile);
    if ("problem" in found) throw new ConfigError([`--via-file: ${printable(viaFile)} ${found.problem}`]);
    const items = found.text.split(/\r?\n/).map((line) => line.trim()).filter((line) => !/^(?:#|$)/.test(line));
    if (items.length === 0) throw new ConfigError([`--via-file: found no URL in ${printable(viaFile)}, expected one`]);
    return { items: items.flatMap(split), where: printable(viaFile) };
  }
  if (via !== undefined) return { items: via.flatMap(split), where: "--via" };
  return { items: split(terminal.env[VIA_VARIABLE] ?? ""), where: VIA_VARIABLE };
}

/**
 * Reads URLs as proxies.
 *
 * @throws {ConfigError} If one is none. No login is in the message.
 */
export function proxiesOf({ items, where }: { readonly items: readonly string[]; readonly where: string }): Proxy[] {
  return items.map((item, at) => {
    try {
      return parseProxy(item);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const words = error.message.replace(/^Cannot read the proxy: /, "");
      throw new ConfigError([`${where}${items.length > 1 ? ` (number ${at + 1})` : ""}: ${words}`]);
    }
  });
}

/** A password may have commas of its own. */
function split(text: string): string[] {
  return text.split(/,(?=\s*[a-z][a-z0-9+.-]*:\/\/)/i).map((item) => item.trim()).filter((item) => item !== "");
}
