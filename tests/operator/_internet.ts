/**
 * A network of its own that has the addresses which a file of settings speaks of, so that the file is served as it is.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type Finished, run, type Running, start } from "../clients/_process.ts";
import { Namespace } from "../conformance/_netns.ts";
import { repository } from "../conformance/_server.ts";
import type { Site } from "./_site.ts";

/** What a network shall have. */
export interface InternetOptions extends Site {
  /** Its IPv4 addresses. */
  readonly addresses: readonly string[];
}

/** A network. Everything that runs in it ends when it is disposed of. */
export class Internet implements AsyncDisposable {
  readonly #namespace: Namespace;
  readonly #end = new AbortController();
  readonly #running: Running[] = [];

  private constructor(namespace: Namespace) {
    this.#namespace = namespace;
  }

  /** Makes one. The first of its name servers is the system's. */
  static async open({ addresses, ...site }: InternetOptions): Promise<Internet> {
    const all = new Set([...addresses, ...site.nameServers, ...Object.values(site.names)]);
    const internet = new Internet(
      new Namespace([
        "link set lo up",
        ...[...all].filter((address) => address !== "127.0.0.1").map((address) => `addr add ${address}/32 dev lo`),
      ]),
    );
    try {
      const etc = join("/etc/netns", internet.#namespace.name);
      mkdirSync(etc, { recursive: true });
      writeFileSync(join(etc, "resolv.conf"), `nameserver ${site.nameServers[0]}\n`);
      writeFileSync(join(etc, "nsswitch.conf"), "hosts: files dns\n");
      const script = join(repository, "tests/operator/_site.ts");
      await internet.start(/ready/, process.execPath, "run", "-A", "--no-check", script, JSON.stringify(site));
      return internet;
    } catch (error) {
      await internet[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** What runs a command in it. */
  get prefix(): string[] {
    return this.#namespace.prefix;
  }

  /** Starts a program in it and waits for what it says first. */
  async start(said: RegExp, ...command: readonly string[]): Promise<Running> {
    const running = start([...this.prefix, ...command], { signal: this.#end.signal });
    this.#running.push(running);
    await running.waitForOutput(said);
    return running;
  }

  static #command(from: string, proxy: string, url: string): string[] {
    return [
      ...["curl", "--disable", "--silent", "--show-error", "--no-buffer", "--max-time", "140", "--interface", from],
      ...["--proxy", `socks5h://${proxy}`, url],
    ];
  }

  /**
   * Fetches a page from in there.
   *
   * @param from The address that the client has.
   * @param proxy The server and who logs in, such as `ada:lovelace@192.168.1.10:1080`.
   * @param url The page.
   */
  fetch(from: string, proxy: string, url: string): Promise<Finished> {
    return run([...this.prefix, ...Internet.#command(from, proxy, url)], { signal: this.#end.signal });
  }

  /** Fetches a page that has no end, and waits for its beginning. */
  hold(from: string, proxy: string, origin: string): Promise<Running> {
    return this.start(/^GET/, ...Internet.#command(from, proxy, `${origin}/hold`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map((running) => running[Symbol.asyncDispose]()));
    this.#end.abort();
    this.#namespace[Symbol.dispose]();
  }
}
