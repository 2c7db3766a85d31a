import { Child } from "../child.ts";
import { closeQuietly } from "../load/bytes.ts";
import { freePort } from "./ports.ts";
import type { Candidate, Program } from "./server.ts";
import { join } from "node:path";

const START_SECONDS = 15;
/** Another program may have taken the port meanwhile. */
const START_TRIES = 3;

/** A server that runs. */
export class Instance {
  /** The port of 127.0.0.1 on which it listens. */
  readonly port: number;
  #children: readonly Child[];

  private constructor(port: number, children: readonly Child[]) {
    this.port = port;
    this.#children = children;
  }

  /** The root processes of the server. */
  get roots(): number[] {
    return this.#children.map(({ pid }) => pid);
  }

  /** Whether all of its processes run. */
  get alive(): boolean {
    return this.#children.every(({ ended }) => !ended);
  }

  /**
   * Starts a server and waits until it speaks SOCKS5.
   *
   * @param folder A folder for its files.
   */
  static async start(candidate: Candidate, folder: string): Promise<Instance> {
    for (let tries = 1;; tries++) {
      const scratch = await Deno.makeTempDir({ dir: folder, prefix: `${candidate.id}-` });
      const port = freePort();
      const children: Child[] = [];
      try {
        for (const program of await candidate.prepare(scratch, port)) {
          const log = program.silenced ? "/dev/null" : join(scratch, `log-${children.length}`);
          const child = new Child(program.command, program.args, log);
          children.push(child);
          await untilReady(program, child, log, program.port === port);
        }
        return new Instance(port, children);
      } catch (error) {
        for (const child of children) await child.stop();
        if (tries === START_TRIES) throw error;
      }
    }
  }

  /** Ends all of its processes. */
  async stop(): Promise<void> {
    for (const child of this.#children.toReversed()) await child.stop();
  }
}

/** Waits until a program listens; one that is to be a SOCKS5 server must also answer as one. */
async function untilReady({ command, port }: Program, child: Child, log: string, socks: boolean): Promise<void> {
  const deadline = performance.now() + START_SECONDS * 1000;
  while (!child.ended && performance.now() < deadline) {
    if (await answers(port, socks)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const said = (await Deno.readTextFile(log).catch(() => "")).trim().slice(-800);
  throw new Error(
    `Cannot start "${command}": ${child.ended ? "it ended" : "it does not listen"}${said && `: ${said}`}`,
  );
}

async function answers(port: number, socks: boolean): Promise<boolean> {
  let conn: Deno.TcpConn;
  try {
    conn = await Deno.connect({ hostname: "127.0.0.1", port });
  } catch {
    return false;
  }
  const timer = setTimeout(() => closeQuietly(conn), 1000);
  try {
    if (!socks) return true;
    const answer = new Uint8Array(2);
    await conn.write(Uint8Array.of(5, 1, 0));
    return await conn.read(answer) !== null && answer[0] === 5;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    closeQuietly(conn);
  }
}
