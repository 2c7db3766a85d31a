/**
 * A file that is there as a whole or not at all.
 *
 * @module
 */

import { type FileHandle, open, readFile, rename, rm } from "node:fs/promises";

/**
 * Reads a file.
 *
 * @param path Which one.
 * @returns Its text, or `undefined` if there is none.
 * @throws {Error} The system's error.
 */
export async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Writes a file beside another and then puts it in its place, so that a crash leaves the old or the new one. Its owner
 * alone may read it.
 *
 * @param path Which one.
 * @param text Its text.
 * @throws {Error} The system's error.
 */
export async function write(path: string, text: string): Promise<void> {
  const draft = draftOf(path);
  const file = await openDraft(draft);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

/**
 * Sees whether a file could be written by whoever this process is now. Nothing may write it meanwhile.
 *
 * @param path Which one.
 * @throws {Error} The system's error.
 */
export async function tryToWrite(path: string): Promise<void> {
  const draft = draftOf(path);
  const file = await openDraft(draft);
  await file.close();
  await rm(draft);
}

function draftOf(path: string): string {
  return `${path}.new`;
}

async function openDraft(path: string): Promise<FileHandle> {
  await rm(path, { force: true }); // of a crash; and a link that somebody put there is not followed
  return await open(path, "wx", 0o600);
}
