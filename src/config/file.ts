/**
 * Settings from a file.
 *
 * @module
 */

import { ConfigError } from "./config_error.ts";
import { parseJson } from "./json.ts";
import { formatPath, type Layer } from "./layer.ts";
import { type Parsed, TextSyntaxError } from "./parsed.ts";
import { printable } from "./printable.ts";
import { type ReadFile, readText } from "./read_text.ts";
import { parseToml } from "./toml.ts";
import { parseYaml } from "./yaml.ts";

export type { ReadFile } from "./read_text.ts";

/** The formats, by the extension of a file's name. A parser throws {@linkcode TextSyntaxError}. */
const PARSERS: Readonly<Record<string, (text: string) => Parsed>> = {
  ".yaml": parseYaml,
  ".yml": parseYaml,
  ".toml": parseToml,
  ".json": parseJson,
  ".jsonc": parseJson,
};

/**
 * Reads a file of settings. A `$schema` in it is for editors and is left out.
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
    throw new ConfigError([`${name}: found ${found}, expected ${Object.keys(PARSERS).join(", ")}`]);
  }
  const text = await readText(path, readFile);
  if ("problem" in text) throw new ConfigError([`${name}: ${text.problem}`]);
  const { value, positionOf } = parsed(parse, text.text, name);
  return {
    isFile: true,
    positionOf,
    settings: withoutSchema(value),
    nameOf(keys) {
      const place = positionOf(keys);
      const where = place === undefined ? name : `${name}:${place.line}:${place.column}`;
      return keys.length === 0 ? where : `${where}: ${formatPath(keys)}`;
    },
    pathFrom: (named) => besides(path, named),
  };
}

function parsed(parse: (text: string) => Parsed, text: string, name: string): Parsed {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TextSyntaxError)) throw error;
    throw new ConfigError(
      error.mistakes.map(({ line, column, message }) => `${name}:${line}:${column}: ${printable(message)}`),
    );
  }
}

function withoutSchema(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, "$schema")) {
    return value;
  }
  const { $schema, ...settings } = value as Record<string, unknown>;
  return typeof $schema === "string" ? settings : value;
}

/** A path from the folder of a file, unless it is absolute. */
function besides(file: string, path: string): string {
  if (/^(?:[/\\]|[A-Za-z]:[/\\])/.test(path)) return path;
  return `${/^(?:.*[/\\])?/.exec(file)![0]}${path}`;
}
