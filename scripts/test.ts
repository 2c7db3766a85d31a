/**
 * Runs the tests: `deno task test [SUITE…] [PATTERN]`.
 *
 * - `unit`: what is in scripts/ and tests/ outside conformance/, operator/ and clients/, the same files on Deno, Bun and
 *   Node, and the examples of the documentation on Deno;
 * - `npm`: builds the npm package, installs it and tries it on each runtime;
 * - `conformance`, `operator`, `clients`: drive real server processes, on Deno from the sources, on Bun and Node from the
 *   npm build.
 *
 * A pattern chooses files by path, or else cases by name. The last line counts what passed, failed and was skipped.
 * What cannot run here is skipped by name; with CI set in the environment it counts as failed.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { buildNpm } from "./build_npm.ts";
import type { TestCase } from "./_junit.ts";
import { onInterrupt } from "./_run.ts";
import { findRuntimes, type Runtime } from "./_runtimes.ts";
import { prepareScratch } from "./_scratch.ts";
import { installTarball, smokeTest } from "./_smoke.ts";
import { Tally } from "./_tally.ts";
import { runExamples, runTestFile } from "./_test_file.ts";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const SUITES = ["unit", "npm", "conformance", "operator", "clients"] as const;
type Suite = typeof SUITES[number];

/** How long a file may take, in milliseconds: a bound for what hangs, far beyond what a slow machine takes. */
const UNIT_LIMIT = 900_000, PROCESS_LIMIT = 3_600_000;

/** What every part of a run shares. */
interface Run {
  readonly runtimes: readonly Runtime[];
  readonly scratch: string;
  readonly tally: Tally;
  readonly pattern: string | undefined;
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");

function parseArguments(args: readonly string[]): { suites: readonly Suite[]; pattern: string | undefined } {
  const isSuite = (arg: string): arg is Suite => (SUITES as readonly string[]).includes(arg);
  const suites = args.filter(isSuite);
  const [pattern, ...rest] = args.filter((arg) => !isSuite(arg));
  if (rest.length > 0 || pattern?.startsWith("-")) {
    console.error(`Cannot test "${args.join(" ")}": expected any of ${SUITES.join(", ")} and one pattern`);
    Deno.exit(2);
  }
  return { suites: suites.length > 0 ? suites : SUITES, pattern };
}

/** The test files below a folder, from the root. */
async function testFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory) files.push(...await testFiles(path));
      else if (entry.name.endsWith("_test.ts")) files.push(relative(root, path));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return files.sort();
}

function suiteOf(file: string): Suite {
  return /^tests\/(conformance|operator|clients)\//.exec(file)?.[1] as Suite | undefined ?? "unit";
}

/** The files a pattern leaves: by path if any path has it, or else those which speak of it. */
async function chooseFiles(files: readonly string[], pattern: string | undefined): Promise<[string[], boolean]> {
  if (pattern === undefined) return [[...files], false];
  const byPath = files.filter((file) => file.includes(pattern));
  if (byPath.length > 0) return [byPath, false];
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(join(root, file))));
  return [files.filter((_file, index) => texts[index]!.includes(pattern)), true];
}

/** Does the work of several lanes at once, each taking the next piece when it is done with one. */
async function inLanes<T>(count: number, work: readonly T[], run: (piece: T) => Promise<void>): Promise<void> {
  const queue = [...work];
  const lane = async (): Promise<void> => {
    for (let piece = queue.shift(); piece !== undefined; piece = queue.shift()) await run(piece);
  };
  await Promise.all(Array.from({ length: count }, lane));
}

/** Runs files on one runtime, one after the other: many watch memory, descriptors or the clock. */
async function runFiles(
  { scratch, tally, pattern }: Run,
  runtime: Runtime,
  files: readonly string[],
  options: { cwd: string; timeoutMs: number; env?: Record<string, string>; byName: boolean },
): Promise<void> {
  for (const file of files) {
    const started = performance.now();
    const all = await runTestFile(runtime, file, { ...options, scratch });
    // A file that failed as a whole is told whatever the pattern.
    const cases = all.filter(({ name }) => !options.byName || name.includes(pattern!) || name === file);
    for (const test of cases) tally.add(`${runtime.name}: ${file}`, test);
    console.log(`${runtime.name.padEnd(8)} ${file.padEnd(52)} ${summary(cases)} ${seconds(started)}`);
  }
}

function summary(cases: readonly TestCase[]): string {
  const count = (outcome: TestCase["outcome"]) => cases.filter((test) => test.outcome === outcome).length;
  const [passed, failed, skipped] = [count("passed"), count("failed"), count("skipped")];
  return `${failed > 0 ? "FAILED" : "ok"} (${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ""})`;
}

function seconds(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}

async function unitTests(shared: Run, files: readonly string[], byName: boolean): Promise<void> {
  if (files.length === 0 && shared.pattern !== undefined) return;
  const folder = join(shared.scratch, "unit");
  await Deno.mkdir(folder);
  if (shared.runtimes.some(({ kind, binary }) => kind !== "deno" && binary)) await prepareScratch(root, folder);
  await inLanes(2, shared.runtimes, async (runtime) => {
    if (runtime.binary === undefined) return skip(shared.tally, runtime, "unit tests");
    const cwd = runtime.kind === "deno" ? root : folder;
    await runFiles(shared, runtime, files, { cwd, timeoutMs: UNIT_LIMIT, byName });
  });
  if (files.length === 0) {
    shared.tally.add("unit", { name: "test files", outcome: "failed", detail: "there are none" });
  }
  if (shared.pattern !== undefined) return;
  const examples = await runExamples(shared.runtimes[0]!, ["mod.ts", "src"], {
    cwd: root,
    scratch: shared.scratch,
    timeoutMs: UNIT_LIMIT,
  });
  for (const test of examples) shared.tally.add("Deno: example", test);
  console.log(`Deno     ${"examples in mod.ts and src".padEnd(52)} ${summary(examples)}`);
}

/** Builds the package; without it everything that needs it fails or is skipped, by name. */
async function buildPackage({ scratch, tally }: Run): Promise<string | undefined> {
  const started = performance.now();
  try {
    const tarball = await buildNpm(join(scratch, "npm"));
    tally.add("npm", { name: "the package builds", outcome: "passed", detail: "" });
    console.log(`npm      ${"the package builds".padEnd(52)} ok ${seconds(started)}`);
    return tarball;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    console.log(`npm      ${"the package builds".padEnd(52)} FAILED\n${detail}`);
    tally.add("npm", { name: "the package builds", outcome: "failed", detail });
    return undefined;
  }
}

/** The folder where the package is installed for a runtime. */
function installed({ scratch }: Run, { name }: Runtime): string {
  return join(scratch, `npm-on-${name.toLowerCase().replace(" ", "-")}`);
}

async function tryPackage(shared: Run, runtime: Runtime, tarball: string, smoke: boolean): Promise<void> {
  if (runtime.binary === undefined) return skip(shared.tally, runtime, "npm package");
  const folder = installed(shared, runtime);
  const cases: TestCase[] = [];
  try {
    await installTarball(runtime, tarball, folder);
    cases.push({ name: "the package installs", outcome: "passed", detail: "" });
    if (smoke) cases.push(...await smokeTest(runtime, folder, config.version));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    cases.push({ name: "the package installs", outcome: "failed", detail });
  }
  for (const test of cases) {
    shared.tally.add(`npm on ${runtime.name}`, test);
    if (test.outcome === "failed") console.log(`npm on ${runtime.name}: ${test.name}: ${test.detail}`);
  }
  console.log(`${runtime.name.padEnd(8)} ${"npm package".padEnd(52)} ${summary(cases)}`);
}

function skip(tally: Tally, { name, kind }: Runtime, what: string): void {
  tally.add(name, { name: what, outcome: "skipped", detail: `"${kind}" is not installed` });
  console.log(`${name.padEnd(8)} ${what.padEnd(52)} skipped: "${kind}" is not installed`);
}

/** What tests that drive real servers find in the environment. */
function processEnvironment(shared: Run): Record<string, string> {
  const env: Record<string, string> = { SOCKS_NPM_DIR: join(shared.scratch, "npm-on-node") };
  // The first of a kind: Node 24 comes after the Node that is tested here.
  for (const { kind, binary } of shared.runtimes) if (binary) env[kind.toUpperCase()] ??= binary;
  return env;
}

async function main(): Promise<number> {
  const { suites, pattern } = parseArguments(Deno.args);
  const scratch = await Deno.makeTempDir({ prefix: "socks-test-" });
  const tally = new Tally();
  onInterrupt(() => Deno.removeSync(scratch, { recursive: true }));
  try {
    const shared: Run = { runtimes: await findRuntimes(), scratch, tally, pattern };
    const found = [...await testFiles(join(root, "scripts")), ...await testFiles(join(root, "tests"))];
    const all = found.filter((file) => suites.includes(suiteOf(file)));
    const [files, byName] = await chooseFiles(all, pattern);
    const process = files.filter((file) => suiteOf(file) !== "unit");

    if (suites.includes("unit")) {
      await unitTests(shared, files.filter((file) => suiteOf(file) === "unit"), byName);
    }
    const smoke = suites.includes("npm") && pattern === undefined;
    if (smoke || process.length > 0) {
      const tarball = await buildPackage(shared);
      for (const runtime of shared.runtimes) {
        if (tarball !== undefined && (smoke || runtime.name === "Node")) {
          await tryPackage(shared, runtime, tarball, smoke);
        }
      }
    }
    const env = processEnvironment(shared);
    const deno = shared.runtimes[0]!;
    const options = { cwd: root, timeoutMs: PROCESS_LIMIT, env, byName };
    await runFiles(shared, deno, process.filter((file) => suiteOf(file) !== "operator"), options);
    // These wait more than they work: for periods to pass, for bytes at a pace.
    const waiting = process.filter((file) => suiteOf(file) === "operator");
    await inLanes(2, waiting, (file) => runFiles(shared, deno, [file], options));
  } finally {
    await Deno.remove(scratch, { recursive: true }).catch(() => {});
  }
  return tally.report(Boolean(Deno.env.get("CI"))) ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
