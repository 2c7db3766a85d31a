/**
 * The program, but for the process around it.
 *
 * @module
 */

import { Command, CommanderError } from "commander";
import { ConfigError } from "../config/config_error.ts";
import { loadConfig } from "../config/load.ts";
import { bridgeStart } from "./bridge.ts";
import { bridgeCommand } from "./bridge_command.ts";
import { runCheck } from "./check.ts";
import { checkCommand } from "./check_command.ts";
import { configCommand } from "./config_command.ts";
import { runConnect } from "./connect.ts";
import { connectCommand } from "./connect_command.ts";
import { runPasswd } from "./passwd.ts";
import { passwdCommand } from "./passwd_command.ts";
import { rulesCommand } from "./rules_command.ts";
import { SAYS_FLAGS } from "./says_flags.ts";
import { serveCommand } from "./serve_command.ts";
import { serviceCommand } from "./service_command.ts";
import type { ServeStart } from "./start.ts";
import type { Terminal } from "./terminal.ts";
import { flagProblem, wordsProblem } from "./usage_problem.ts";

/** What commands do, so that the reading of flags can be tried without it. */
export interface Commands {
  /** Serves with these settings and returns the exit code. */
  serve(start: ServeStart, terminal: Terminal): Promise<number>;
}

/**
 * Runs the program.
 *
 * @param args What follows its name.
 * @param terminal Where it was started.
 * @param commands What its commands do.
 * @returns The exit code.
 */
export async function run(args: readonly string[], terminal: Terminal, commands: Commands): Promise<number> {
  let code = 0;
  const exit = (given: number): void => void (code = given);
  const usage = (command: Command, ...problems: string[]): void => {
    for (const problem of problems) terminal.err(problem);
    terminal.err(`Flags and examples: ${pathOf(command)} --help`);
    code = 2;
  };

  const serve = serveCommand(async ({ flags, file, words }) => {
    if (words[0] === "help") return helpFor(words.slice(1));
    if (words.length > 0) return usage(serve, wordsProblem(words, [...names(program), "help"]));
    const { env, fileMode } = terminal;
    const load: ServeStart["load"] = (readFile) => loadConfig({ flags, file, env, readFile, fileMode });
    code = await commands.serve({ ...await load(terminal.readFile), load }, terminal);
  });
  const program = new Command("socks-server").helpOption(false).helpCommand(false)
    .addCommand(serve, { isDefault: true })
    .addCommand(configCommand(terminal, exit))
    .addCommand(rulesCommand(terminal, exit))
    .addCommand(connectCommand(async (given) => exit(await runConnect(given, terminal))))
    .addCommand(checkCommand(async (given) => exit(await runCheck(given, terminal))))
    .addCommand(bridgeCommand(async (given) => {
      code = await commands.serve(await bridgeStart(given, terminal), terminal);
    }))
    .addCommand(passwdCommand(async (given) => exit(await runPasswd(given, terminal))))
    .addCommand(serviceCommand((text) => terminal.out(text)));
  const helpFor = (words: readonly string[]): void => {
    const found = words.reduce<Command | undefined>(
      (command, word) => command?.commands.find((other) => other.name() === word),
      program,
    );
    (found === undefined || found === program ? serve : found).outputHelp();
  };

  // Commands below others speak of the settings, whose flags are those of the server.
  let running = serve;
  program.hook("preAction", (_program, command) => {
    if (command.parent === program) running = command;
  });
  let failed = serve;
  const prepare = (command: Command): void => {
    command.exitOverride((error) => {
      if (command !== program) failed = command;
      throw error;
    }).configureOutput({
      writeOut: (text) => terminal.out(text.replace(/\n$/, "")),
      writeErr: () => {},
      getOutHelpWidth: () => Math.min(terminal.columns ?? 100, 100),
    });
    if (command === program || command === serve) return;
    command.helpOption("-h, --help", "print this help").helpCommand(false);
    if (command.commands.length > 0) {
      command.argument("[words...]").allowExcessArguments().action((words: string[]) =>
        words.length === 0 || words[0] === "help"
          ? command.outputHelp()
          : usage(command, wordsProblem(words, names(command)))
      );
      command.configureHelp({ visibleArguments: () => [], commandUsage: () => `${pathOf(command)} COMMAND` });
    }
    command.configureHelp({ ...SAYS_FLAGS, ...command.configureHelp() });
  };
  for (const command of everyCommand(program)) prepare(command);

  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode !== 0) usage(failed, flagProblem(error, failed));
    } else if (error instanceof ConfigError) {
      const { problems } = error;
      if (problems.length === 1) usage(running, problems[0]!);
      else usage(running, `${problems.length} mistakes in the settings:`, ...problems.map((problem) => `  ${problem}`));
    } else {
      throw error;
    }
  }
  return code;
}

function everyCommand(command: Command): Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

function names(command: Command): string[] {
  return command.commands.map((other) => other.name());
}

/** What a person types for a command; the one that serves needs no word. */
function pathOf(command: Command): string {
  const { parent } = command;
  if (parent === null || command.name() === "serve") return "socks-server";
  return `${pathOf(parent)} ${command.name()}`;
}
