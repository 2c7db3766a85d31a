/**
 * The running program: its server, and how its operator steers it.
 *
 * @module
 */

import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { Config } from "../config/config.ts";
import { serveOptions } from "../config/options.ts";
import { printable } from "../config/printable.ts";
import { formatAddress } from "../net/address.ts";
import { tryToWrite } from "../policy/store_file.ts";
import { reasonOf } from "../policy/store_state.ts";
import { isMixed } from "../server/mixed.ts";
import { currentRuntime } from "../runtime/detect.ts";
import type { ServeOptions } from "../server/options.ts";
import { serve, type Server } from "../server/server.ts";
import { announcement, announcementLine, forwardLine } from "./announcement.ts";
import type { Ground } from "./ground.ts";
import { wordsEntry } from "./log_entry.ts";
import { type Notifier, notifier } from "./notify.ts";
import { formatOf } from "./program_log.ts";
import { outgoingAdvice } from "./outgoing_advice.ts";
import { Reloader } from "./reload.ts";
import { switchTo, titleOf } from "./run_as.ts";
import { sessionObserver } from "./session_log.ts";
import { listenToSignals } from "./signals.ts";
import { SourceWatch } from "./source_watch.ts";
import type { Loaded, ServeStart } from "./start.ts";
import { DRAIN_TIME, untilStopped } from "./stop.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Starts to serve: listens, gives up the rights of root if it is to, and says so.
 *
 * @param start The settings.
 * @param terminal Where the program was started.
 * @param ground What is in order already.
 * @throws What `serve` throws; {@linkcode Error} if it cannot become the user that it should.
 */
export async function startProgram(start: ServeStart, terminal: Terminal, ground: Ground): Promise<Program> {
  const server = await serve(optionsOf(start.config, ground));
  const program = new Program(server, start, terminal, ground);
  try {
    await program.begin(start);
    return program;
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** Inherited sockets stand in for those that the settings name. */
function optionsOf(config: Config, { inherited, log }: Ground): ServeOptions {
  const observer = sessionObserver(log.logger, config.logLevel ?? "info");
  return {
    ...serveOptions(config),
    ...inherited.length > 0 && { listen: inherited },
    observer,
    onHealth: ({ group, member, isUp, reason }) => {
      const words = `"${printable(member)}" of "${printable(group)}" is ${isUp ? "up" : "down"}: ${printable(reason)}`;
      const line = wordsEntry("upstream", words, { group, member, up: isUp });
      log.logger[isUp ? "info" : "warning"]("{line}", { line });
    },
    onStore: (state, reason) => {
      const line = wordsEntry("store", `The store of counts is ${state}: ${printable(reason)}`, { state });
      log.logger[state === "away" ? "warning" : "info"]("{line}", { line });
    },
  };
}

/** How long the end waits for the service manager to hear of it, in milliseconds. */
const LAST_WORDS = 500;

/** A program that serves. */
export class Program {
  readonly #server: Server;
  readonly #terminal: Terminal;
  readonly #ground: Ground;
  readonly #notifier: Notifier;
  readonly #reloader: Reloader;
  readonly #watch: SourceWatch;
  #config: Config;
  #stopped: Promise<number> | undefined;
  /** Fulfilled when the service manager has heard of the end. */
  #told: Promise<void> | undefined;

  /**
   * @param server The server, listening.
   * @param start The settings.
   * @param terminal Where the program was started.
   * @param ground What is in order already.
   */
  constructor(server: Server, start: ServeStart, terminal: Terminal, ground: Ground) {
    this.#server = server;
    this.#config = start.config;
    this.#terminal = terminal;
    this.#ground = ground;
    this.#notifier = notifier(process.env, (problem) => this.#log("warning", "notify", problem));
    this.#reloader = new Reloader({
      reload: () => this.#reload(),
      started: () => void this.#notifier.reloading(),
      succeeded: () => this.#reloaded(),
      failed: (problems) => this.#notReloaded(problems),
    });
    this.#watch = new SourceWatch(start, terminal.readFile, {
      changed: () => void this.#reloader.request(),
      complain: (problem) => this.#log("warning", "watch", printable(problem)),
    });
  }

  /** Becomes the user it runs as, watches its settings and says that it serves. */
  async begin({ warnings }: Loaded): Promise<void> {
    const { account, log } = this.#ground;
    if (account !== undefined) {
      if (process.geteuid?.() === 0) log.giveTo(account.uid, account.gid); // else it is that user already
      switchTo(account);
      await this.#tryStore(titleOf(account));
    }
    await this.#warn(warnings);
    if (this.#config.watch === true || account !== undefined) {
      const problem = await this.#watch.look();
      const who = account === undefined ? "" : ` as "${printable(titleOf(account))}"`;
      if (problem !== undefined) this.#log("warning", "settings", `Cannot load the settings again${who}: ${problem}`);
    }
    if (this.#config.watch === true) this.#watch.start();
    await this.#listen();
    this.#announce();
    this.#ready(this.#status());
  }

  /**
   * Waits for the end.
   *
   * @returns The exit code.
   */
  async untilStopped(): Promise<number> {
    const code = await this.#stopped ?? 1;
    await Promise.race([this.#told, sleep(LAST_WORDS, undefined, { ref: false })]);
    return code;
  }

  /** From here on the operator is heard. */
  async #listen(): Promise<void> {
    const endSignals = await listenToSignals({
      reload: () => this.#wantReload(),
      reopen: () => this.#ground.log.reopen(),
    }, this.#terminal.isLive);
    this.#stopped = untilStopped(this.#server, {
      out: (line) => this.#say("draining", line),
      drainTime: () => drainTimeOf(this.#config),
      stopping: (time) => {
        this.#watch.stop();
        this.#told = this.#notifier.stopping(`Draining ${this.#server.sessions} sessions`, time);
      },
    }).finally(endSignals);
  }

  /** At the end there is nothing to load settings for, and the service manager has heard of the end already. */
  #wantReload(): void {
    if (this.#told === undefined) void this.#reloader.request();
    else this.#log("warning", "reload", "Not reloaded: the program is ending", { ok: false });
  }

  async #reload(): Promise<void> {
    const { config, warnings } = await this.#watch.load();
    const { log } = this.#ground;
    const before = this.#places();
    const prepared = log.prepare(config);
    try {
      await this.#server.reload(optionsOf(config, this.#ground), { sessions: config.reload ?? "keep" });
    } catch (error) {
      prepared.discard();
      throw error;
    }
    prepared.use();
    const { runAs } = this.#config;
    this.#config = config;
    if (config.watch === true && this.#told === undefined) this.#watch.start();
    else this.#watch.stop();
    await this.#warn(warnings);
    if (config.runAs !== runAs) {
      this.#log("warning", "settings", "runAs: takes effect when the program is started anew");
    }
    for (const place of this.#places()) if (!before.includes(place)) this.#log("info", "listening", place);
  }

  #reloaded(): void {
    const rest = this.#config.reload === "recheck"
      ? "running sessions were asked about again"
      : "running sessions go on";
    this.#log("info", "reload", `Reloaded, ${rest}`, { ok: true });
    this.#ready(this.#status());
  }

  #notReloaded(problems: readonly string[]): void {
    for (const problem of problems) {
      this.#log("error", "reload", `Cannot reload, all stays as it was: ${problem}`, { ok: false });
    }
    this.#ready(`${this.#status()} with its former settings: the new ones cannot be used`);
  }

  /** The end may have come during a reload: it is the last that the service manager hears of. */
  #ready(status: string): void {
    if (this.#told === undefined) void this.#notifier.ready(status);
  }

  #status(): string {
    const { addresses, forwards } = this.#server;
    const all = [...addresses, ...forwards.map(({ address }) => address)];
    return `Serving on ${all.map((address) => printable(formatAddress(address))).join(", ")}`;
  }

  /** Where it listens, a line for each place. */
  #places(): string[] {
    const { addresses, forwards } = this.#server;
    return [
      ...addresses.map((address) => `Listening on ${printable(formatAddress(address))}`),
      ...forwards.map(forwardLine),
    ];
  }

  #announce(): void {
    const { addresses, forwards } = this.#server;
    const { logFile, users = [] } = this.#config;
    const mixed = isMixed(this.#config.mixed, addresses);
    const isForPeople = formatOf(this.#config, this.#terminal.isLive) === "text";
    for (const line of announcement(addresses, users.length > 0 || !isForPeople, mixed, forwards)) {
      this.#say("listening", line);
    }
    if (logFile === undefined) return;
    for (const line of announcement(addresses, true, mixed, forwards)) this.#log("info", "listening", line);
  }

  /** Says what was asked for: on standard output, in the form of the log. */
  #say(event: string, line: string): void {
    const format = formatOf(this.#config, this.#terminal.isLive);
    this.#terminal.out(format === "text" ? line : announcementLine(event, line, Date.now()));
  }

  /** It was opened by root. */
  async #tryStore(user: string): Promise<void> {
    const { file } = this.#config.store ?? {};
    if (file === undefined) return;
    try {
      await tryToWrite(file);
    } catch (error) {
      throw new Error(`Cannot write counts to "${file}" as "${user}": ${reasonOf(error)}`);
    }
  }

  /** What is allowed and not wise, also in what only this machine can tell. */
  async #warn(warnings: readonly string[]): Promise<void> {
    const { addresses } = this.#config.outgoing ?? {};
    const advice = addresses === undefined ? [] : outgoingAdvice(addresses, (await currentRuntime()).interfaces());
    for (const warning of [...warnings, ...advice]) this.#log("warning", "settings", printable(warning));
  }

  #log(level: "info" | "warning" | "error", event: string, line: string, fields?: Record<string, unknown>): void {
    this.#ground.log.logger[level]("{line}", { line: wordsEntry(event, line, fields) });
  }
}

function drainTimeOf({ drainTimeout = DRAIN_TIME }: Config): number {
  return drainTimeout === 0 ? Infinity : drainTimeout;
}
