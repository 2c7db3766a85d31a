/**
 * Redis servers for tests, on a port of loopback that is free, with their data in a folder of their own.
 *
 * @module
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { freePort } from "../_free_port.ts";

/** The password of every server, with characters that a URL must escape. */
export const PASSWORD = "open/sesame@7";

/** Why Redis cannot be tested here, or undefined. */
export const noRedis: string | undefined = spawnSync("redis-server", ["--version"], { stdio: "ignore" }).status === 0
  ? undefined
  : "redis-server is not installed";

/** A server that ends with its case at the latest. */
export interface RedisServer extends AsyncDisposable {
  /** How to reach it. */
  readonly url: string;
  /** Starts it on the same port with the same data. */
  start(): Promise<void>;
  /** Ends it without a warning. */
  kill(): Promise<void>;
  /** Keeps it from answering, with its connections open, or lets it go on. */
  send(signal: "SIGSTOP" | "SIGCONT"): void;
}

/** How long a server can outlive a test run that was itself killed, in seconds. */
const LIMIT_S = 900;

/** Starts a server. */
export async function startRedis(): Promise<RedisServer> {
  const folder = mkdtempSync(join(tmpdir(), "socks-redis-"));
  const port = await freePort();
  let child: ChildProcess | undefined;
  const signal = (name: "SIGSTOP" | "SIGCONT" | "SIGKILL") => {
    if (child?.pid !== undefined) process.kill(-child.pid, name);
  };
  const start = async () => {
    const settings = {
      port,
      bind: "127.0.0.1",
      dir: folder,
      appendonly: "yes",
      // What was written survives the end of the process, if not of the machine; a command need not wait for a disk.
      appendfsync: "no",
      save: "",
      requirepass: PASSWORD,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`]);
    // A group of its own, for it is ended with the program that bounds its life.
    child = spawn("timeout", ["-s", "KILL", `${LIMIT_S}`, "redis-server", ...args], {
      stdio: ["ignore", "pipe", "ignore"],
      detached: true,
    });
    await new Promise<void>((resolve, reject) => {
      let output = "";
      child!.once("error", reject);
      child!.once("exit", (code) => reject(new Error(`redis-server ended with ${code}\n${output}`)));
      child!.stdout!.on("data", (chunk: Uint8Array) => {
        output += new TextDecoder().decode(chunk);
        if (/Ready to accept connections/i.test(output)) resolve();
      });
    });
  };
  const kill = async () => {
    const ended = child;
    if (ended === undefined) return;
    if (ended.exitCode === null && ended.signalCode === null) {
      const exit = new Promise((resolve) => ended.once("exit", resolve));
      signal("SIGKILL");
      await exit;
    }
    child = undefined;
  };
  await start();
  return {
    url: `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/1`,
    start,
    kill,
    send: signal,
    [Symbol.asyncDispose]: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
