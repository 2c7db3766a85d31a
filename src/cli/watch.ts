/**
 * Files that are watched.
 *
 * @module
 */

import { type FSWatcher, statSync, watch } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";

/** What a {@linkcode FileWatch} tells, and when. */
export interface FileWatchOptions {
  /** Called when a file is another than it was. */
  readonly changed: () => void;
  /** Takes what goes wrong: a folder that cannot be watched. */
  readonly complain: (problem: string) => void;
  /**
   * How long a file must stay as it is to count as written, in milliseconds.
   *
   * @default {200}
   */
  readonly settle?: number | undefined;
  /**
   * How often to look without having been told of anything, in milliseconds: nobody tells of changes on file systems of
   * the network, of folders that are there again, nor of links on the way to a folder.
   *
   * @default {5000}
   */
  readonly lookEvery?: number | undefined;
}

/** What a file looked like, by its path: see {@linkcode signatureOf}. */
export type Signatures = ReadonlyMap<string, string>;

interface WatchedFolder {
  readonly watcher: FSWatcher;
  /** Which folder it was: another may have come in its place. */
  readonly id: string;
}

/**
 * Watches files by their folders: editors put a new file in the place of the old one, and mounted secrets are links to
 * folders that are exchanged. What happens to other files there is nothing to it.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #folders = new Map<string, WatchedFolder>();
  #known: Signatures = new Map();
  #seen = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether something happened since the last look began. */
  #isTold = false;
  #round: ReturnType<typeof setInterval> | undefined;
  #isClosed = false;

  /** @param options What it tells, and when. */
  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  /**
   * Watches these files and no others.
   *
   * @param files The files as they were when they were read.
   */
  set(files: Signatures): void {
    if (this.#isClosed) return;
    this.#known = files;
    this.#watchFolders(true);
    this.#round ??= setInterval(() => this.#schedule(), this.#options.lookEvery ?? 5000);
    this.#schedule(); // one may have changed since it was read
  }

  /** Ends it. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    clearInterval(this.#round);
    for (const { watcher } of this.#folders.values()) watcher.close();
    this.#folders.clear();
  }

  /**
   * Watches the folders that are there, and no others.
   *
   * @param isNew Whether it is told of those that cannot be watched: once, and not at each look.
   */
  #watchFolders(isNew: boolean): void {
    const folders = new Set(Array.from(this.#known.keys(), (path) => dirname(resolve(path))));
    for (const [folder, { watcher, id }] of this.#folders) {
      if (folders.has(folder) && idOf(folder) === id) continue;
      watcher.close();
      this.#folders.delete(folder);
    }
    for (const folder of folders) if (!this.#folders.has(folder)) this.#watch(folder, isNew);
  }

  #watch(folder: string, isNew: boolean): void {
    const fail = (error: Error): void => {
      if (isNew) this.#options.complain(`Cannot watch "${basename(folder)}" for changes: ${error.message}`);
      this.#folders.get(folder)?.watcher.close();
      this.#folders.delete(folder);
    };
    try {
      const id = idOf(folder);
      const watcher = watch(folder, () => this.#schedule());
      watcher.on("error", fail);
      this.#folders.set(folder, { watcher, id });
    } catch (error) {
      fail(error as Error);
    }
  }

  /** A look at the files, soon. Further events do not put it off: a log may grow in the same folder. */
  #schedule(): void {
    if (this.#isClosed) return;
    this.#isTold = true;
    this.#timer ??= setTimeout(() => void this.#look(), this.#options.settle ?? 200);
  }

  /** A change counts once two looks have seen the same: a file may be half written. */
  async #look(): Promise<void> {
    this.#isTold = false;
    const known = this.#known;
    const now = new Map<string, string>();
    for (const path of known.keys()) now.set(path, await signatureOf(path));
    this.#timer = undefined;
    if (this.#isTold) this.#schedule();
    if (this.#isClosed || known !== this.#known) return this.#schedule();
    this.#watchFolders(false);
    const [was, is] = [textOf(known), textOf(now)];
    if (is === was) return;
    const isSettled = is === this.#seen;
    this.#seen = is;
    if (!isSettled) return this.#schedule();
    this.#known = now;
    this.#options.changed();
  }
}

/** Which folder is at a path. */
function idOf(folder: string): string {
  const status = statSync(folder, { throwIfNoEntry: false });
  return status === undefined ? "missing" : `${status.dev} ${status.ino}`;
}

function textOf(signatures: Signatures): string {
  return JSON.stringify([...signatures]);
}

/**
 * Tells what a file looks like from outside: another signature, another file.
 *
 * @param path The file; links are followed.
 */
export async function signatureOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino, mode } = await stat(path);
    return [mtimeMs, size, ino, mode].join(" ");
  } catch {
    return "missing";
  }
}
