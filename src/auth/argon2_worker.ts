/**
 * The thread that computes argon2id. Elsewhere this module does nothing: it is there to name itself.
 *
 * @module
 */

import * as crypto from "node:crypto";
import { setPriority } from "node:os";
import process from "node:process";
import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { argon2Here, type Argon2Job } from "./argon2.ts";

/**
 * Where this module is, wherever that is: builds rewrite the names of imported modules, but not those that a program
 * puts together.
 */
export const ARGON2_WORKER: string = import.meta.url;

/** Tells a thread that it is this one, and not any thread of a program that imports the library. */
export const ARGON2_MARK = "@x/socks argon2id";

/** What the thread says: that it is ready, or what became of the last job. */
export type Argon2Answer = "ready" | { readonly hash: Uint8Array } | { readonly error: string };

/** How much the thread stands back behind the one that relays: the least that Linux gives is 19. */
const NICENESS = 10;

/** As Bun and Node since 24.7 have it: twice as fast as WebAssembly. */
type Argon2Sync = (algorithm: "argon2id", options: {
  readonly message: Uint8Array;
  readonly nonce: Uint8Array;
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly tagLength: number;
}) => Uint8Array;

const native = (crypto as { readonly argon2Sync?: Argon2Sync }).argon2Sync;

async function compute(job: Argon2Job): Promise<Uint8Array> {
  if (typeof native !== "function") return await argon2Here(job);
  const { password: message, salt: nonce, memory, passes, lanes: parallelism, length: tagLength } = job;
  const hash = native("argon2id", { message, nonce, memory, passes, parallelism, tagLength });
  return Uint8Array.from(hash); // a Buffer may be a part of a pool, which must not be sent along
}

/** On Linux a priority is a thread's, so this takes nothing from the rest of the process. */
function standBack(): void {
  if (process.platform !== "linux") return;
  try {
    // Without the permission Deno would ask a person for it.
    if (typeof Deno !== "undefined") {
      if (Deno.permissions.querySync({ name: "sys", kind: "setPriority" as "osRelease" }).state !== "granted") return;
    }
    setPriority(NICENESS);
  } catch {
    // It computes all the same.
  }
}

if (!isMainThread && parentPort !== null && workerData === ARGON2_MARK) {
  const port = parentPort;
  const answer = (message: Argon2Answer): void => port.postMessage(message);
  port.on("message", (job: Argon2Job) => {
    compute(job).then((hash) => answer({ hash }), (error) => answer({ error: String(error) }));
  });
  standBack();
  answer("ready");
}
