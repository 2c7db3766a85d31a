/**
 * Standard input and output as one end of a relay.
 *
 * @module
 */

import { write } from "node:fs";
import process from "node:process";
import { NetError } from "../net/errors.ts";
import type { Duplex } from "../runtime/runtime.ts";
import { closeStandardOutput } from "./close_standard_output.ts";

/**
 * Takes standard input and output for itself. A write is done when the reader, or the pipe to it, has taken it: who reads
 * slowly slows down who writes. Where the system lets it, `closeWrite` closes standard output, so that the reader sees the
 * end while standard input goes on; else it sees it when the process ends.
 */
export function standardStreams(): Duplex {
  return new StandardStreams();
}

class StandardStreams implements Duplex {
  readonly #input = process.stdin[Symbol.asyncIterator]();
  /** Ends the read that is under way. Of earlier ones nothing stays: each would keep what it has read. */
  #endRead: () => void = () => {};
  #closed = false;
  #finished = false;

  read(): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      this.#endRead = () => resolve(null);
      if (this.#closed) return resolve(null);
      this.#input.next().then(({ value, done }) => resolve(done === true ? null : value as Uint8Array), reject);
    });
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    return this.#closed ? Promise.reject(new NetError("closed", NOBODY_READS)) : put(bytes);
  }

  closeWrite(): void {
    if (this.#closed || this.#finished) return;
    this.#finished = true;
    // Nobody sends on by keyboard to who has said goodbye.
    if (!closeStandardOutput() || process.stdin.isTTY === true) this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#endRead();
    process.stdin.destroy();
  }
}

/** The message of an error of `write` where the reader has left. */
export const NOBODY_READS = "Cannot write: nobody reads standard output any more";

/** Codes of a file that takes no more, and what they mean. */
const FULL: Readonly<Record<string, string>> = {
  ENOSPC: "no space is left on the device",
  EDQUOT: "the quota of the disk is used up",
  EFBIG: "the file is too large",
  EIO: "the device fails",
};

function unwritten(cause: unknown): NetError {
  const full = FULL[(cause as { readonly code?: string }).code ?? ""];
  return new NetError("closed", full === undefined ? NOBODY_READS : `Cannot write to standard output: ${full}`, {
    cause,
  });
}

/** How long to wait before the next attempt on a pipe that somebody made non-blocking, in milliseconds. */
const RETRY = 5;

/** Bun has a copy of standard output's descriptor behind its stream, which nothing closes: there the file is written to. */
const put = "Bun" in globalThis ? putIntoFile : putIntoStream;

function putIntoStream(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    try {
      process.stdout.write(bytes, (error) => {
        if (error) reject(unwritten(error));
        else resolve();
      });
    } catch (error) {
      reject(unwritten(error)); // Deno throws where a file takes no more
    }
  });
}

function putIntoFile(bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const attempt = (rest: Uint8Array): void => {
      write(1, rest, (error, length) => {
        if (error?.code === "EAGAIN") setTimeout(attempt, RETRY, rest);
        else if (error) reject(unwritten(error));
        else if (length < rest.length) attempt(rest.subarray(length));
        else resolve();
      });
    };
    attempt(bytes);
  });
}
