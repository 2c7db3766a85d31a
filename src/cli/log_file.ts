/**
 * The log in a file.
 *
 * @module
 */

import { closeSync, fchownSync, fstatSync, openSync, writeSync } from "node:fs";

/** Only the program's own user may read who went where. */
const MODE = 0o640;

/**
 * A file that lines are appended to. A line is in the file when `write` returns, so none is lost at the end of the
 * process; rotation is left to the system, which moves the file away and asks for a new one.
 */
export class LogFile {
  /** Where it is. */
  readonly path: string;
  readonly #complain: (problem: string) => void;
  #fd: number;
  #isFailing = false;

  /**
   * Opens the file, or makes it.
   *
   * @param path Where it is.
   * @param complain Takes what cannot be written to the file: that writing fails.
   * @throws {Error} If it cannot be opened.
   */
  constructor(path: string, complain: (problem: string) => void) {
    this.path = path;
    this.#complain = complain;
    this.#fd = openSync(path, "a", MODE);
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
    const fd = openSync(this.path, "a", MODE);
    closeSync(this.#fd);
    this.#fd = fd;
  }

  /** Gives the file to a user, if it is an ordinary file: it must be able to reopen it. */
  giveTo(uid: number, gid: number): void {
    if (fstatSync(this.#fd).isFile()) fchownSync(this.#fd, uid, gid);
  }

  /** Closes it. */
  close(): void {
    closeSync(this.#fd);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
