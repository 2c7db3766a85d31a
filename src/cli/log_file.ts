/**
 * The log in a file.
 *
 * @module
 */

import { closeSync, constants, fchownSync, fstatSync, openSync, writeSync } from "node:fs";

/** Only the program's own user may read who went where. */
const MODE = 0o640;

/** How a log file is opened. */
export interface LogFileOptions {
  /**
   * Whether the path may be a link. Where root opens a file that is for another user it must not: whoever may write to
   * the folder could have any file of the system opened, and given away.
   *
   * @default {true}
   */
  readonly mayBeLink?: boolean | undefined;
}

/**
 * A file that lines are appended to. A line is in the file when `write` returns, so none is lost at the end of the
 * process; rotation is left to the system, which moves the file away and asks for a new one.
 */
export class LogFile {
  /** Where it is. */
  readonly path: string;
  readonly #complain: (problem: string) => void;
  readonly #flags: string | number;
  #fd: number;
  #isFailing = false;

  /**
   * Opens the file, or makes it.
   *
   * @param path Where it is.
   * @param complain Takes what cannot be written to the file: that writing fails.
   * @param options How it is opened.
   * @throws {Error} If it cannot be opened.
   */
  constructor(path: string, complain: (problem: string) => void, { mayBeLink = true }: LogFileOptions = {}) {
    const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
    this.path = path;
    this.#complain = complain;
    this.#flags = mayBeLink || O_NOFOLLOW === undefined ? "a" : O_APPEND | O_CREAT | O_NOFOLLOW | O_WRONLY;
    this.#fd = openSync(path, this.#flags, MODE);
  }

  /**
   * Appends a line. A failure (a full disk, say) loses the line and is complained of once, until writing works again.
   *
   * @param line The line, without its end.
   */
  write(line: string): void {
    const bytes = new TextEncoder().encode(`${line}\n`);
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(this.#fd, bytes, done);
      this.#isFailing = false;
    } catch (error) {
      if (!this.#isFailing) this.#complain(`Cannot write the log: ${messageOf(error)}`);
      this.#isFailing = true;
    }
  }

  /**
   * Opens the file anew under its path, for lines to come.
   *
   * @throws {Error} If it cannot be opened; then the lines go where they went.
   */
  reopen(): void {
    const fd = openSync(this.path, this.#flags, MODE);
    closeSync(this.#fd);
    this.#fd = fd;
  }

  /**
   * Gives the file to a user, if it is an ordinary file: it must be able to reopen it.
   *
   * @throws {Error} If it is somebody else's under another name, or cannot be given.
   */
  giveTo(uid: number, gid: number): void {
    const status = fstatSync(this.#fd);
    if (!status.isFile() || status.uid === uid && status.gid === gid) return;
    if (status.nlink !== 1) throw new Error("it has other names");
    fchownSync(this.#fd, uid, gid);
  }

  /** Closes it. */
  close(): void {
    closeSync(this.#fd);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
