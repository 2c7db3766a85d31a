import { run } from "../../src/cli/run.ts";
import { FakeTerminal } from "./_terminal.ts";

/** What a run of the program came to. */
export interface Outcome {
  readonly code: number;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

/** Runs the program with words, files and an environment; serving does nothing. */
export async function runWords(
  words: string,
  files: Readonly<Record<string, string>> = {},
  env: Record<string, string> = {},
): Promise<Outcome> {
  const terminal = new FakeTerminal(files, undefined, env);
  const code = await run(words.split(" "), terminal, { serve: () => Promise.resolve(0) });
  return { code, stdout: terminal.stdout.join("\n").split("\n"), stderr: terminal.stderr };
}
