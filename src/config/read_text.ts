/**
 * What is in files.
 *
 * @module
 */

import { printable } from "./printable.ts";

/** Reads the whole of a file. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

/**
 * Reads a file of UTF-8, with or without a byte order mark.
 *
 * @param path The file.
 * @param readFile Reads files.
 * @returns The text, or what is wrong with the file.
 */
export async function readText(
  path: string,
  readFile: ReadFile,
): Promise<{ readonly text: string } | { readonly problem: string }> {
  const found = await readBytes(path, readFile);
  if ("problem" in found) return found;
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(found.bytes) };
  } catch {
    return { problem: "found bytes that are not UTF-8" };
  }
}

/**
 * Reads a file of whatever kind.
 *
 * @param path The file.
 * @param readFile Reads files.
 * @returns The bytes, or what is wrong with the file.
 */
export async function readBytes(
  path: string,
  readFile: ReadFile,
): Promise<{ readonly bytes: Uint8Array } | { readonly problem: string }> {
  try {
    return { bytes: await readFile(path) };
  } catch (error) {
    return { problem: `cannot be read: ${reason(error)}` };
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EISDIR: "it is a directory",
  ENOTDIR: "no such file",
};

function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return REASONS[code] ?? printable(error instanceof Error ? error.message : String(error));
}
