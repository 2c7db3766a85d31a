/**
 * The command that checks and shows settings.
 *
 * @module
 */

import { Command } from "commander";
import { ConfigError } from "../config/config_error.ts";
import { effectiveSettings, formatSettings } from "../config/effective.ts";
import type { Flags } from "../config/flags.ts";
import { settingsJsonSchema } from "../config/json_schema.ts";
import { loadConfig } from "../config/load.ts";
import { printable } from "../config/printable.ts";
import { addSettingFlags } from "./setting_flags.ts";
import type { Terminal } from "./terminal.ts";

const EXAMPLES = `
Examples:
  Every mistake in a file, before a server is told to load it:
    $ socks-server config check /etc/socks-server/config.yaml && systemctl reload socks-server

  Help while writing one, from an editor that knows JSON Schema:
    $ socks-server config schema > socks.schema.json
    # yaml-language-server: $schema=socks.schema.json

  What is in effect, with all defaults:
    $ SOCKS_LOG_LEVEL=debug socks-server config show config.yaml

SOCKS_… variables and flags are looked at as the server would.

Exit codes:
  0    the settings are right
  2    they are not; every mistake is a line of its own`;

const CHECK_HELP = `
Every mistake is a line: FILE:LINE:COLUMN: SETTING: what was found, what was expected. Files that the settings name are
read, too. What is allowed and not wise is told as a warning.`;

const SHOW_HELP = `
Passwords and the like are hidden.`;

/**
 * Makes the command `config`.
 *
 * @param terminal Where the program was started.
 * @param exit Takes the exit code.
 */
export function configCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const config = new Command("config").description("Checks and shows settings.").addHelpText("after", EXAMPLES);
  const { env, readFile, fileMode } = terminal;
  const load = (path: string | undefined, given: GivenFlags) => {
    const { config: named, json: _json, ...flags } = given;
    const file = path ?? named;
    const sources = { flags, env, file, readFile, fileMode };
    return loadConfig(sources);
  };

  const check = config.command("check").description("Says whether settings are right, and all that is wrong.")
    .argument("[file]", "the file with the settings (default: SOCKS_CONFIG)")
    .addHelpText("after", CHECK_HELP)
    .action(async (path: string | undefined, given: GivenFlags) => {
      try {
        const { warnings } = await load(path, given);
        for (const warning of warnings) terminal.err(`Warning: ${warning}`);
        const file = path ?? given.config ?? env["SOCKS_CONFIG"];
        terminal.out(`${file === undefined ? "What is set" : printable(file)} is right`);
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        for (const problem of error.problems) terminal.err(problem);
        exit(2);
      }
    });

  const show = config.command("show").description("Shows the settings that are in effect.")
    .argument("[file]", "the file with the settings (default: SOCKS_CONFIG)")
    .option("--json", "as JSON, not as YAML")
    .addHelpText("after", SHOW_HELP)
    .action(async (path: string | undefined, given: GivenFlags) => {
      const { config } = await load(path, given);
      terminal.out(formatSettings(effectiveSettings(config), given.json === true ? "json" : "yaml"));
    });

  config.command("schema").description("Prints a JSON Schema of settings, for editors.")
    .action(() => terminal.out(JSON.stringify(settingsJsonSchema(), undefined, 2)));

  for (const command of [check, show]) addSettingFlags(command);
  return config;
}

/** As commander names them. */
type GivenFlags = Flags & {
  readonly config?: string;
  readonly json?: boolean;
};
