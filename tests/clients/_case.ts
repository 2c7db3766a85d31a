/**
 * Registers the cases of one family of clients, once for each runtime.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { eventually } from "../conformance/_client.ts";
import { onPath, type RunningServer, runtimes, type RuntimeUnderTest, startServer } from "../conformance/_server.ts";
import { type Finished, run, type Running, type RunOptions, start } from "./_process.ts";
import {
  digestTarget,
  echoTarget,
  type HttpTarget,
  httpTarget,
  type HttpTargetOptions,
  type Target,
  type TargetOptions,
} from "./_targets.ts";

/** Something that must be installed; the reason why a case cannot run without it, or undefined. */
export type Need = () => string | undefined;

/** A program on the `PATH`. */
export function program(name: string): Need {
  return () => onPath(name) === undefined ? `${name} is not installed` : undefined;
}

/** A file that some package brings. */
export function file(path: string): Need {
  return () => existsSync(path) ? undefined : `${path} is not installed`;
}

/** A command that must succeed. */
export function working(reason: string, ...command: readonly [string, ...string[]]): Need {
  const [name, ...args] = command;
  return () => spawnSync(name, args, { stdio: "ignore" }).status === 0 ? undefined : reason;
}

/** What a case has at hand. Everything it starts ends with the case, except servers, which the next cases share. */
export interface Bench {
  /** The runtime that the server runs on. */
  readonly runtime: RuntimeUnderTest;
  /** Aborts when the deadline of the case passes. */
  readonly signal: AbortSignal;
  /** The server with these arguments; cases of one file with equal arguments share it. */
  server(...args: readonly string[]): Promise<RunningServer>;
  /** Runs a client to its end. */
  run(command: readonly string[], options?: Omit<RunOptions, "signal">): Promise<Finished>;
  /** Starts a program that serves, or a client that the case talks to. */
  start(command: readonly string[]): Running;
  /** A folder of the case's own. */
  folder(): Promise<string>;
  /** An HTTP server. */
  http(options?: HttpTargetOptions): Promise<HttpTarget>;
  /** A server that sends everything back. */
  echo(options?: TargetOptions): Promise<Target>;
  /** A server that answers after the client's end. */
  digest(options?: TargetOptions): Promise<Target>;
  /** Has something disposed of when the case ends. */
  use<T extends AsyncDisposable>(resource: T): T;
}

/** Options of one case. */
export interface CaseOptions {
  /** How long it may take, in milliseconds. */
  readonly deadlineMs?: number;
  /** What it needs in addition to what the whole family needs. */
  readonly needs?: readonly Need[];
}

/** Registers one case. */
export type Register = (name: string, body: (bench: Bench) => Promise<void>, options?: CaseOptions) => void;

/**
 * How much a server had written when the case that uses it began: an earlier target may have had the same port, and
 * its lines are not this one's.
 */
const caseBegan = new WeakMap<RunningServer, number>();

/** How long a case may take when it does not say otherwise, in milliseconds: only what hangs takes as long. */
const DEADLINE_MS = 180_000;

/**
 * Registers a family of cases for each runtime. What cannot run here is registered too, as skipped and with the reason.
 *
 * @param family What the cases are about.
 * @param needs What every case needs.
 * @param define Registers the cases.
 */
export function clients(family: string, needs: readonly Need[], define: (register: Register) => void): void {
  const lacking = firstLack(needs);
  for (const runtime of runtimes) {
    describe(`${family}, server on ${runtime.name}`, () => {
      const servers = new Map<string, Promise<RunningServer>>();
      after(async () => {
        const started = await Promise.allSettled(servers.values());
        await Promise.all(started.map((result) => result.status === "fulfilled" ? result.value.stop() : undefined));
      });
      define((name, body, { deadlineMs = DEADLINE_MS, needs: more = [] } = {}) => {
        const reason = runtime.available ? lacking ?? firstLack(more) : runtime.reason;
        if (reason !== undefined) return void test(`${name} (skipped: ${reason})`, { skip: reason }, () => {});
        // Twice the deadline is for what even the bench cannot end.
        test(name, { timeout: 2 * deadlineMs }, () => onBench(runtime, servers, deadlineMs, body));
      });
    });
  }
}

function firstLack(needs: readonly Need[]): string | undefined {
  for (const need of needs) {
    const reason = need();
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Runs a case on a bench of its own, and says in its error what the servers wrote and what was still running. */
async function onBench(
  runtime: RuntimeUnderTest,
  servers: Map<string, Promise<RunningServer>>,
  deadlineMs: number,
  body: (bench: Bench) => Promise<void>,
): Promise<void> {
  const deadline = new AbortController();
  const { signal } = deadline;
  /** The servers in use, and how much they had written before. */
  const used = new Map<RunningServer, number>();
  const running = new Set<readonly string[]>();
  const timer = setTimeout(() => {
    const commands = [...running].map((command) => `\nStill running: ${command.join(" ")}`);
    deadline.abort(new Error(`The case did not end within ${deadlineMs} ms${commands.join("")}`));
  }, deadlineMs);
  try {
    await using resources = new AsyncDisposableStack();
    await endingBy(
      signal,
      body({
        runtime,
        signal,
        async server(...args) {
          const key = JSON.stringify(args);
          let starting = servers.get(key);
          if (starting === undefined) servers.set(key, starting = startServer(runtime, args));
          const server = await starting;
          if (!used.has(server)) {
            used.set(server, server.output().length);
            caseBegan.set(server, server.output().length);
          }
          return server;
        },
        async run(command, options = {}) {
          running.add(command);
          const finished = await run(command, { ...options, signal });
          running.delete(command);
          return finished;
        },
        start: (command) => resources.use(start(command, { signal })),
        async folder() {
          const path = await mkdtemp(join(tmpdir(), "socks-clients-"));
          resources.defer(() => rm(path, { recursive: true, force: true }));
          return path;
        },
        http: async (options) => resources.use(await httpTarget(options)),
        echo: async (options) => resources.use(await echoTarget(options)),
        digest: async (options) => resources.use(await digestTarget(options)),
        use: (resource) => resources.use(resource),
      }),
    );
  } catch (error) {
    const logs = [...used].map(([server, before]) => server.output().slice(before));
    const message = error instanceof Error ? error.message : error;
    throw new Error(`${message}\nThe server wrote: ${logs.join("\n").trim() || "nothing"}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** How long a case may take to notice that its deadline passed, in milliseconds. */
const GRACE_MS = 3_000;

/** Waits for a case, at most until shortly after the deadline: it must not go on while its bench is cleared. */
async function endingBy(signal: AbortSignal, body: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => timer = setTimeout(resolve, GRACE_MS), { once: true });
  });
  try {
    await Promise.race([body, late]);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  signal.throwIfAborted();
}

/** Waits for the line of a session that went to a host and port. */
export function sessionLine(server: RunningServer, authority: string): Promise<string> {
  return server.waitForOutput(lineOf(authority), { since: caseBegan.get(server) ?? 0 });
}

/**
 * Waits until the server has logged a session for every connection that a target saw, and sees that it logged no more:
 * no connection came past the server, and each had its line.
 *
 * @param server The server.
 * @param target A target that clients have been to and left.
 * @param authority What they asked for: the target's address if nothing is said.
 */
export async function loggedSessions(
  server: RunningServer,
  target: Target,
  authority = target.authority,
): Promise<void> {
  const began = caseBegan.get(server) ?? 0;
  const count = () => [...server.output().slice(began).matchAll(new RegExp(lineOf(authority), "gm"))].length;
  const state = () => `The target at ${authority} saw ${target.connections} connections, the log speaks of ${count()}`;
  // Either may come first: a connection nothing is said over is logged when its client has left, maybe before we see it.
  await eventually(() => `as many connections as sessions: ${state()}`, () => {
    return target.connections > 0 && count() === target.connections;
  });
}

function lineOf(authority: string): RegExp {
  return new RegExp(`^.* connect ${authority.replace(/[.[\]]/g, "\\$&")}(?!\\w).*$`, "m");
}
