import { readJunit, type TestCase } from "./_junit.ts";
import { run } from "./_run.ts";
import type { Runtime } from "./_runtimes.ts";
import { join } from "node:path";

/** Options for {@linkcode runTestFile}. */
export interface TestFileOptions {
  /** The folder that holds the tests. */
  readonly cwd: string;
  /** Where the report may be written. */
  readonly scratch: string;
  /** The time limit in milliseconds. */
  readonly timeoutMs: number;
  /** Variables to set. */
  readonly env?: Record<string, string>;
}

/**
 * Runs one test file in a process of its own, so that a crash costs and names no other file.
 *
 * The cases come from the JUnit report. A process that fails without a failed case (it crashed, threw while loading or
 * ran out of time) adds one, and so does a file without any case.
 */
export async function runTestFile(runtime: Runtime, file: string, options: TestFileOptions): Promise<TestCase[]> {
  const report = join(options.scratch, `${crypto.randomUUID()}.xml`);
  const result = await run(runtime.binary!, commandLine(runtime, file, report), {
    cwd: options.cwd,
    env: { NO_COLOR: "1", ...options.env },
    timeoutMs: options.timeoutMs,
  });
  const xml = await Deno.readTextFile(report).catch(() => "");
  const cases = readJunit(xml);
  const failed = cases.some(({ outcome }) => outcome === "failed");
  if (result.timedOut) {
    cases.push({ name: file, outcome: "failed", detail: `did not end within ${options.timeoutMs / 1000} s` });
  } else if (result.code !== 0 && !failed) {
    cases.push({ name: file, outcome: "failed", detail: `the process failed with exit code ${result.code}` });
  } else if (cases.length === 0) {
    cases.push({ name: file, outcome: "failed", detail: "no test ran" });
  }
  if (cases.some(({ outcome }) => outcome === "failed")) {
    console.log(`${"-".repeat(80)}\n${runtime.name}: ${file}\n${tail(result.output)}\n${"-".repeat(80)}`);
  }
  return cases;
}

/** How each runtime runs one file and writes a JUnit report. */
function commandLine(runtime: Runtime, file: string, report: string): string[] {
  switch (runtime.kind) {
    case "deno":
      // Types are checked by `deno task check`.
      return ["test", "-A", "--no-check", `--junit-path=${report}`, file];
    case "bun":
      return [
        "test",
        // Of a case. The others have no such limit, but that of the file.
        "--timeout=300000",
        "--reporter=junit",
        `--reporter-outfile=${report}`,
        `./${file}`,
      ];
    case "node":
      return [
        "--import=tsx",
        "--test-reporter=spec",
        "--test-reporter-destination=stdout",
        "--test-reporter=junit",
        `--test-reporter-destination=${report}`,
        file,
      ];
  }
}

/** The end of a long output: the failures stand there. */
function tail(output: string): string {
  const limit = 20_000;
  return output.length <= limit ? output.trim() : `…\n${output.slice(-limit).trim()}`;
}

/** Runs the examples in the documentation comments of files and folders; there may be none yet. */
export async function runExamples(
  deno: Runtime,
  paths: readonly string[],
  options: TestFileOptions,
): Promise<TestCase[]> {
  const report = join(options.scratch, `${crypto.randomUUID()}.xml`);
  const args = ["test", "-A", "--doc", "--permit-no-files", `--junit-path=${report}`, ...paths];
  const { code, output, timedOut } = await run(deno.binary!, args, {
    cwd: options.cwd,
    env: { NO_COLOR: "1" },
    timeoutMs: options.timeoutMs,
  });
  const cases = readJunit(await Deno.readTextFile(report).catch(() => ""));
  if (code !== 0) console.log(tail(output));
  if (code !== 0 && !cases.some(({ outcome }) => outcome === "failed")) {
    const detail = timedOut ? `did not end within ${options.timeoutMs / 1000} s` : `exit code ${code}`;
    cases.push({ name: "examples", outcome: "failed", detail });
  }
  return cases;
}
