/**
 * A server that an operator runs: settings in a file, a log in JSON, reloads.
 *
 * @module
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, type To, Wire } from "../conformance/_client.ts";
import {
  parseListening,
  type RunningServer,
  type RuntimeUnderTest,
  type StartOptions,
  startServer,
} from "../conformance/_server.ts";
import { asked, CONNECT } from "../conformance/_socks.ts";

/** Settings as they stand in a file. */
export type Settings = Readonly<Record<string, unknown>>;

/** A line of the log: its keys and what they hold. */
export interface Entry {
  readonly event: string;
  readonly level: string;
  readonly message?: string;
  readonly id?: number;
  readonly end?: string;
  readonly refusal?: string;
  readonly client?: string;
  readonly clientPort?: number;
  readonly listenerName?: string;
  readonly user?: string;
  readonly command?: string;
  readonly target?: string;
  readonly targetPort?: number;
  readonly address?: string;
  readonly rule?: string;
  readonly reason?: string;
}

/** Who asks. */
export interface Who {
  /** The loopback address that it comes from. */
  readonly from?: string;
  /** The name and the password that it logs in with. */
  readonly user?: readonly [string, string];
  /** The place where it asks. */
  readonly at?: To;
}

/** A server and its file of settings. */
export class Operated implements AsyncDisposable {
  readonly server: RunningServer;
  /** The file. */
  readonly path: string;

  private constructor(server: RunningServer, path: string) {
    this.server = server;
    this.path = path;
  }

  /** Starts one, at a free port of 127.0.0.1 unless the settings say otherwise. */
  static async start(
    of: { readonly runtime: RuntimeUnderTest; readonly folder: string },
    settings: Settings = {},
    { format = "json", ...options }: StartOptions & { readonly format?: "json" | "text" } = {},
  ): Promise<Operated> {
    const path = join(of.folder, `${crypto.randomUUID().slice(0, 8)}.json`);
    write(path, settings);
    const args = ["--config", path, "--log-format", format];
    return new Operated(await startServer(of.runtime, args, { ...options, listen: false }), path);
  }

  /** The first place that it listens at. */
  get place(): To {
    return this.server;
  }

  /** Every place that it said it listens at, at least so many. */
  places(count: number): Promise<readonly To[]> {
    return eventually(`${count} listeners`, () => {
      const found = parseListening(this.server.output());
      return found.length >= count && found;
    });
  }

  /** Changes the file. */
  write(settings: Settings | string): void {
    write(this.path, settings);
  }

  /**
   * Changes the file, asks for a reload and waits for its end.
   *
   * @returns What the log says of it: problems, or that it is done.
   */
  async reload(settings?: Settings | string): Promise<readonly Entry[]> {
    if (settings !== undefined) this.write(settings);
    const since = this.server.output().length;
    this.server.signal("SIGHUP");
    await this.server.waitForOutput(/"event":"reload".*\n/, { since });
    return this.entries(since).filter(({ event }) => event === "reload");
  }

  /** The whole lines of the log from a place in the output on. */
  entries(since = 0): readonly Entry[] {
    return this.server.output().slice(since).split("\n").slice(0, -1)
      .filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Entry);
  }

  /** Waits for a line of the log. */
  entry(what: string, isIt: (entry: Entry) => boolean, since = 0): Promise<Entry> {
    return eventually(
      `${what} in the log:\n${this.server.output().slice(-3000)}`,
      () => this.entries(since).find(isIt),
    );
  }

  /** Waits for the account of a client's session, from a place in the output on. */
  session(wire: Pick<Wire, "localAddress" | "localPort">, since = 0): Promise<Entry> {
    const { localAddress, localPort } = wire;
    const isIt = (entry: Entry) =>
      entry.event === "session" && entry.client === localAddress && entry.clientPort === localPort;
    return this.entry(`the session of ${localAddress}:${localPort}`, isIt, since);
  }

  /**
   * Asks for something, leaves, and waits for the account of it.
   *
   * @returns REP and the account.
   */
  async ask(host: string, port: number, who: Who = {}, command: number = CONNECT): Promise<Entry & { rep: number }> {
    // Another client may have had the same port before.
    const since = this.server.output().length;
    const { wire, reply } = await asked(who.at ?? this.place, command, host, port, who);
    const { localAddress, localPort } = wire;
    wire.close();
    return { ...await this.session({ localAddress, localPort }, since), rep: reply.code };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
  }
}

function write(path: string, settings: Settings | string): void {
  const text = typeof settings === "string" ? settings : JSON.stringify({ listen: ["127.0.0.1:0"], ...settings });
  writeFileSync(path, text, { mode: 0o600 });
}

/** How long the answer to a login may take, in milliseconds: others may come before it, whose hashes take their time. */
export const LOGIN_PATIENCE = 170_000;

/** Tries a login. */
export async function logIn(to: To, name: string, secret: string, from?: string): Promise<boolean> {
  using wire = await Wire.connect(to, from === undefined ? {} : { from });
  const [user, word] = [new TextEncoder().encode(name), new TextEncoder().encode(secret)];
  await wire.send(5, 1, 2);
  await wire.read(2);
  await wire.send(1, user.length, user, word.length, word);
  return (await wire.read(2, LOGIN_PATIENCE))[1] === 0;
}
