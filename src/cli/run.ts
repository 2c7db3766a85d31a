/**
 * The program, but for the process around it.
 *
 * @module
 */

import { Command, CommanderError } from "commander";
import { ConfigError } from "../config/config_error.ts";
import { loadConfig } from "../config/load.ts";
import { serveCommand } from "./serve_command.ts";
import type { ServeStart } from "./start.ts";
import type { Terminal } from "./terminal.ts";
import { flagProblem, wordsProblem } from "./usage_problem.ts";

/** What commands do, so that the reading of flags can be tried without it. */
export interface Commands {
  /** Serves with these settings and returns the exit code. */
  serve(start: ServeStart, terminal: Terminal): Promise<number>;
}

const HINT = "Flags and examples: socks-server --help";

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
  const usage = (...problems: string[]): void => {
    for (const problem of problems) terminal.err(problem);
    terminal.err(HINT);
    code = 2;
  };

  const serve = serveCommand(async ({ flags, file, words }) => {
    if (words[0] === "help") return serve.outputHelp();
    if (words.length > 0) return usage(wordsProblem(words, ["serve", "help"]));
    const { env, fileMode } = terminal;
    const load: ServeStart["load"] = (readFile) => loadConfig({ flags, file, env, readFile, fileMode });
    code = await commands.serve({ ...await load(terminal.readFile), load }, terminal);
  });
  // Further commands join here; the one that serves needs no name.
  const program = new Command("socks-server").helpOption(false).helpCommand(false).addCommand(serve, {
    isDefault: true,
  });
  for (const command of [program, serve]) {
    command.exitOverride().configureOutput({
      writeOut: (text) => terminal.out(text.replace(/\n$/, "")),
      writeErr: () => {},
      getOutHelpWidth: () => Math.min(terminal.columns ?? 100, 100),
    });
  }

  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode !== 0) usage(flagProblem(error, serve));
    } else if (error instanceof ConfigError) {
      const { problems } = error;
      if (problems.length === 1) usage(problems[0]!);
      else usage(`${problems.length} mistakes in the settings:`, ...problems.map((problem) => `  ${problem}`));
    } else {
      throw error;
    }
  }
  return code;
}
