/**
 * Registers the cases of the wire suite once for each runtime.
 *
 * @module
 */
import { after, describe, test } from "node:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { within } from "./_client.ts";
import { type RunningServer, runtimes, type RuntimeUnderTest, type StartOptions, startServer } from "./_server.ts";

/** What a case gets. */
export interface Case {
  /** The runtime the server runs on. */
  readonly runtime: RuntimeUnderTest;
  /** The server of this case's arguments, shared with the other cases of the file that have the same arguments. */
  readonly server: RunningServer;
  /** A folder for files of this suite, removed at its end. */
  readonly folder: string;
}

/** A case that starts servers by itself. */
export type BareCase = Omit<Case, "server">;

/** Options of a case. */
export interface CaseOptions extends StartOptions {
  /** The arguments of its server. */
  readonly args?: readonly string[];
  /** What the whole case may take, in milliseconds: only what hangs takes as long. @default {180000} */
  readonly deadlineMs?: number;
  /** Why the case cannot run here; `undefined` when it can. */
  readonly skip?: string | undefined;
}

/** Registers cases for one runtime. */
export interface Suite {
  /** The runtime. */
  readonly runtime: RuntimeUnderTest;
  /** A case that uses a running server, which must be running afterwards too. */
  test(sentence: string, run: (of: Case) => Promise<void>, options?: CaseOptions): void;
  /** A case that starts its own. */
  bare(sentence: string, run: (of: BareCase) => Promise<void>, options?: CaseOptions): void;
}

/**
 * Defines the cases of one idea for every runtime.
 *
 * @param idea What the cases are about.
 * @param define Registers them; called once for each runtime.
 */
export function suite(idea: string, define: (suite: Suite) => void): void {
  for (const runtime of runtimes) describe(`${idea}, ${runtime.name}`, () => define(suiteFor(runtime)));
}

function suiteFor(runtime: RuntimeUnderTest): Suite {
  const servers = new Map<string, RunningServer>();
  let folder: string | undefined;
  after(async () => {
    await Promise.all(Array.from(servers.values(), (server) => server.stop()));
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const shared = async ({ args = [], deadlineMs: _deadline, skip: _skip, ...start }: CaseOptions) => {
    const key = JSON.stringify([args, start]);
    const running = servers.get(key) ?? await startServer(runtime, args, start);
    servers.set(key, running);
    return { key, running };
  };

  const register = (sentence: string, options: CaseOptions, run: () => Promise<void>) => {
    const skip = runtime.available ? options.skip : runtime.reason;
    if (skip !== undefined) test(sentence, { skip }, () => {});
    else test(sentence, () => within(options.deadlineMs ?? 180_000, `the case "${sentence}"`, run()));
  };

  const theFolder = () => folder ??= mkdtempSync(join(tmpdir(), "socks-conformance-"));

  return {
    runtime,
    bare: (sentence, run, options = {}) => register(sentence, options, () => run({ runtime, folder: theFolder() })),
    test: (sentence, run, options = {}) =>
      register(sentence, options, async () => {
        const { key, running } = await shared(options);
        const ended = running.exited.then((code) => {
          servers.delete(key);
          throw new Error(
            `The server ended with code ${code}. The end of its output:\n${running.output().slice(-4000)}`,
          );
        });
        ended.catch(() => {});
        await Promise.race([run({ runtime, server: running, folder: theFolder() }), ended]);
        await Promise.race([new Promise((resolve) => setTimeout(resolve, 0)), ended]);
      }),
  };
}
