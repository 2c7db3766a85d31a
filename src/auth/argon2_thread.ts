/**
 * A thread for argon2id, from outside.
 *
 * @module
 */

import { setTimeout } from "node:timers";
import { Worker } from "node:worker_threads";
import type { Argon2Job } from "./argon2.ts";
import { ARGON2_MARK, ARGON2_WORKER, type Argon2Answer } from "./argon2_worker.ts";

/** A thread that does one job at a time. It keeps the process alive only while it has one. */
export interface Argon2Thread {
  /** Whether it has ended. */
  readonly isOver: boolean;
  /**
   * Computes; not to be called again before that is done.
   *
   * @throws {Error} If it cannot, or if the thread came to an end.
   */
  compute(job: Argon2Job): Promise<Uint8Array>;
  /** Ends it. */
  end(): void;
}

/** Options for {@linkcode startArgon2Thread}. */
export interface Argon2ThreadOptions {
  /**
   * How long it may be without a job before it ends, in milliseconds.
   *
   * @default {30_000}
   */
  readonly idle?: number | undefined;
  /** The address of the module that computes. */
  readonly module?: string | undefined;
}

/**
 * Starts a thread.
 *
 * @param options How long it lasts.
 * @throws {Error} If there can be none: the module cannot be read, or was bundled into a program.
 */
export async function startArgon2Thread(options: Argon2ThreadOptions = {}): Promise<Argon2Thread> {
  const { idle = 30_000, module = ARGON2_WORKER } = options;
  // In a bundle that file is the whole program, which must not run a second time.
  if (!/\/argon2_worker\.[jt]s$|^data:/.test(module)) {
    throw new Error(`Cannot start a thread: "${module}" is not the module that computes argon2id`);
  }
  const worker = new Worker(addressOf(module), { workerData: ARGON2_MARK });
  worker.unref();
  let isOver = false;
  let waiting: { resolve(answer: Argon2Answer): void; reject(error: unknown): void } | undefined;
  const lose = (error: unknown): void => {
    isOver = true;
    waiting?.reject(error);
    waiting = undefined;
  };
  worker.on("error", lose);
  worker.on("exit", (code) => lose(new Error(`Cannot compute argon2id: the thread ended with code ${code}`)));
  worker.on("message", (answer: Argon2Answer) => {
    waiting?.resolve(answer);
    waiting = undefined;
  });
  const end = (): void => {
    isOver = true;
    worker.terminate();
  };
  const hear = async (): Promise<Argon2Answer> => {
    worker.ref();
    try {
      return await new Promise<Argon2Answer>((resolve, reject) => waiting = { resolve, reject });
    } finally {
      worker.unref();
    }
  };
  await hear();

  let retirement: ReturnType<typeof setTimeout> | undefined;
  const retire = (): void => {
    retirement = setTimeout(end, idle);
    retirement.unref();
  };
  retire();
  return {
    get isOver() {
      return isOver;
    },
    async compute(job) {
      if (isOver) throw new Error("Cannot compute argon2id: the thread has ended");
      clearTimeout(retirement);
      try {
        const answered = hear();
        // A view would take along all that it is a view of.
        worker.postMessage({ ...job, password: Uint8Array.from(job.password), salt: Uint8Array.from(job.salt) });
        const answer = await answered;
        if (typeof answer === "object" && "hash" in answer) return answer.hash;
        throw new Error(`Cannot compute argon2id: ${answer === "ready" ? "no answer" : answer.error}`);
      } finally {
        retire();
      }
    },
    end() {
      clearTimeout(retirement);
      end();
    },
  };
}

/** Threads start from a file. What was loaded from the web, as from JSR on Deno, is imported by a module that is data. */
function addressOf(module: string): URL {
  if (/^(?:file|data):/.test(module)) return new URL(module);
  return new URL(`data:text/javascript,${encodeURIComponent(`import ${JSON.stringify(module)};`)}`);
}
