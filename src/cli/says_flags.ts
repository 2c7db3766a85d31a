/**
 * One word for flags in all that helps say.
 *
 * @module
 */

import { type Command, Help, type HelpConfiguration } from "commander";

const help = new Help();

/** Says "flags" where commander's own help would say "options". */
export const SAYS_FLAGS: HelpConfiguration = {
  commandUsage: (command: Command) => help.commandUsage(command).replace("[options]", "[flags]"),
  subcommandTerm: (command: Command) => help.subcommandTerm(command).replace("[options]", "[flags]"),
  styleTitle: (title: string) => title === "Options:" ? "Flags:" : title,
};
