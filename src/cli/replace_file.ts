/**
 * Changing a file at once, for whoever reads it meanwhile.
 *
 * @module
 */

import { chown, open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** What a new file may be: nobody else's business. */
const PRIVATE = 0o600;

/**
 * Changes a text file: whoever reads it finds what was there before or what is there after, also if the machine stops
 * in between. Its permissions, owner and group stay, and a link goes on to lead to it; a new file is for its owner alone.
 *
 * @param path The file; it need not be there.
 * @param change Makes the new text of the old one. It is asked again if another program changes the file meanwhile.
 * @returns Whether the file is new.
 * @throws {RangeError} If the file is not UTF-8.
 * @throws {Error} What reading or writing threw, or `change`.
 */
export async function replaceFile(path: string, change: (text: string) => string): Promise<boolean> {
  const target = await orMissing(realpath(path)) ?? path;
  for (;;) {
    const former = await orMissing(readFile(target));
    const status = await orMissing(stat(target));
    const text = decode(former ?? new Uint8Array());
    const draft = join(dirname(target), `.${basename(target)}.${crypto.randomUUID()}`);
    try {
      await writeDraft(draft, change(text), status?.mode);
      // A file that is somebody else's or another group's stays so, where this user may give it away.
      if (status !== undefined) await chown(draft, status.uid, status.gid).catch(() => {});
      if (!sameText(former, await orMissing(readFile(target)))) continue;
      await rename(draft, target);
      return former === undefined;
    } finally {
      await rm(draft, { force: true });
    }
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new RangeError("found bytes that are not UTF-8, expected text");
  }
}

async function writeDraft(path: string, text: string, mode: number | undefined): Promise<void> {
  const file = await open(path, "wx", PRIVATE);
  try {
    await file.writeFile(text);
    // The mask of this process takes nothing away from what the file had.
    if (mode !== undefined) await file.chmod(mode & 0o777);
    await file.sync();
  } finally {
    await file.close();
  }
}

function sameText(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

async function orMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}
