/**
 * Settings from a file.
 *
 * @module
 */

import { ConfigError } from "./config_error.ts";
import { parseJson, TextSyntaxError } from "./json.ts";
import { formatPath, type Layer } from "./layer.ts";
import { printable } from "./printable.ts";

/** The formats, by the extension of a file's name. A parser throws {@linkcode TextSyntaxError}. */
const PARSERS: Readonly<Record<string, (text: string) => unknown>> = {
  ".json": parseJson,
};

/** Reads the whole of a file. */
export type ReadFile = (path: string) => Promise<Uint8Array>;

/**
 * Reads a file of settings.
 *
 * @param path The file, as the operator named it.
 * @param readFile Reads files.
 * @returns The settings in it, not yet checked.
 * @throws {ConfigError} If it cannot be read, or is not what its extension says.
 */
export async function fileLayer(path: string, readFile: ReadFile): Promise<Layer> {
  const name = printable(path);
  const extension = /\.[^./\\]*$/.exec(path)?.[0].toLowerCase() ?? "";
  const parse = Object.hasOwn(PARSERS, extension) ? PARSERS[extension] : undefined;
  if (parse === undefined) {
    const found = extension === "" ? "no extension" : `the extension "${printable(extension)}"`;
    throw new ConfigError([`${name}: found ${found}, expected ${Object.keys(PARSERS).join(" or ")}`]);
  }
  const bytes = await readFile(path).catch((error: unknown) => {
    throw new ConfigError([`${name}: cannot be read: ${reason(error)}`]);
  });
  try {
    return {
      settings: parse(decode(bytes)),
      nameOf: (keys) => keys.length === 0 ? name : `${name}: ${formatPath(keys)}`,
    };
  } catch (error) {
    if (error instanceof TextSyntaxError) {
      throw new ConfigError([`${name}:${error.line}:${error.column}: ${printable(error.message)}`]);
    }
    if (error instanceof TypeError) throw new ConfigError([`${name}: found bytes that are not UTF-8`]);
    throw error;
  }
}

/** UTF-8 with or without a byte order mark. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
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
