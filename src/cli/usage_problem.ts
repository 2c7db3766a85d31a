/**
 * Mistakes on the command line, told so that they can be put right.
 *
 * @module
 */

import type { Command, CommanderError } from "commander";
import { describeFound } from "../config/found.ts";
import { nearest } from "../config/nearest.ts";
import { printable } from "../config/printable.ts";

/**
 * Says what commander stumbled over. What follows a flag may be a password and is not repeated.
 *
 * @param error What commander threw.
 * @param command The command with the flags.
 */
export function flagProblem(error: CommanderError, command: Command): string {
  const flag = /'(-[^'=\s]*)/.exec(error.message)?.[1] ?? "";
  const known = command.options.flatMap(({ long }) => long ?? []).concat("--help");
  switch (error.code) {
    case "commander.unknownOption": {
      if (known.includes(flag)) return `${flag}: found a value, expected none`;
      const near = nearest(flag, known);
      return `Unknown flag ${printable(flag)}${near === undefined ? "" : `: did you mean ${near}?`}`;
    }
    case "commander.optionMissingArgument": {
      const option = command.options.find(({ long }) => long === flag);
      return `${flag}: found nothing after it, expected ${option?.flags.replace(/^\S+ <(.*)>$/, "$1")}`;
    }
    case "commander.invalidArgument":
      return argumentProblem(error.message);
    case "commander.missingArgument": {
      const name = command.registeredArguments.find(({ required }) => required)?.name() ?? "argument";
      return `Found no ${name}, expected it after ${command.name()}`;
    }
    case "commander.excessArguments": {
      const most = command.registeredArguments.length;
      return `Found words that are no flags, expected ${most === 0 ? "none" : most === 1 ? "one" : `${most}`}`;
    }
    default:
      return printable(error.message.replace(/^error: /, ""));
  }
}

/** A value that its flag, or the command, cannot read; those that can be secrets are read by the schema. */
function argumentProblem(message: string): string {
  const [, flag, ofFlag, word, argument, why] =
    /^error: (?:option '(\S+).*?' argument '(.*)'|command-argument value '(.*)') is invalid(?: for argument '(.*?)')?\. (.*)$/s
      .exec(message) ?? [];
  if (why === undefined) return printable(message.replace(/^error: /, ""));
  const expected = why.replace(/^Allowed choices are (.*)\.$/, "expected one of $1");
  return `${flag ?? argument}: found ${describeFound(ofFlag ?? word)}, ${expected}`;
}

/**
 * Says what is wrong with words that are no flags. One of them may be a password, after a `--user` gone wrong, so only
 * what is nearly a command is repeated.
 *
 * @param words The words, at least one.
 * @param commands The commands that there are.
 */
export function wordsProblem(words: readonly string[], commands: readonly string[]): string {
  if (commands.includes(words[0]!)) return `Found the command ${printable(words[0]!)} after flags, expected it first`;
  const near = nearest(words[0]!, commands);
  if (near !== undefined) return `Unknown command ${printable(words[0]!)}: did you mean ${near}?`;
  const found = words.length === 1 ? "a word that is no flag" : `${words.length} words that are no flags`;
  return `Found ${found}, expected flags alone`;
}
