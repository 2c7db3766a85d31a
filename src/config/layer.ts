/**
 * Settings from one place, and what is wrong with them.
 *
 * @module
 */

import type { z } from "zod";
import { knownKeys } from "./known_keys.ts";
import { nearest } from "./nearest.ts";
import type { Position } from "./parsed.ts";
import { printable } from "./printable.ts";
import { schema, type Settings } from "./schema.ts";

/** Settings as they were written in one place: a file, the environment, flags. */
export interface Layer {
  /** The settings, not yet checked. */
  readonly settings: unknown;
  /**
   * What the operator calls the value at a path: `--idle-timeout`, `config.json:3:5: users[1].password`.
   *
   * @param path Keys and indices; empty for all the settings.
   */
  nameOf(path: readonly PropertyKey[]): string;
  /** What is wrong with the value at a path, where this place has better words for it than the schema. */
  wordsFor?(path: readonly PropertyKey[]): string | undefined;
  /** Where the value at a path stands, if this is a text that tells. */
  positionOf?(path: readonly PropertyKey[]): Position | undefined;
  /** Whether the place is a file. */
  readonly isFile?: boolean | undefined;
  /** The path of a file that is named in this place, from the working directory. */
  pathFrom(path: string): string;
}

/** What became of a {@linkcode Layer}. */
export interface CheckedLayer {
  /** Where the settings are from. */
  readonly layer: Layer;
  /** The settings that are right. */
  readonly settings: Settings;
  /** The names of the settings that are not. */
  readonly wrong: ReadonlySet<PropertyKey>;
  /** A line for each problem. */
  readonly problems: readonly string[];
}

/**
 * Checks the settings of one place.
 *
 * @param layer The settings.
 * @returns Every problem, and what is right all the same.
 */
export function checkLayer(layer: Layer): CheckedLayer {
  const result = schema.safeParse(layer.settings);
  if (result.success) return { layer, settings: result.data, wrong: new Set(), problems: [] };
  const found: { readonly place: Position; readonly path: readonly PropertyKey[]; readonly words: string }[] = [];
  const tell = (path: readonly PropertyKey[], words: string): void => {
    found.push({ place: layer.positionOf?.(path) ?? { line: 0, column: 0 }, path, words });
  };
  const wrong = new Set<PropertyKey>();
  for (const issue of result.error.issues.flatMap((issue) => innermost(issue))) {
    const keys = issue.code === "unrecognized_keys" ? issue.keys : [];
    for (const key of keys) {
      // The rest of a password after a comma, perhaps: it is not shown.
      if (isCutOff(layer.settings, issue.path, key)) tell(issue.path, CUT_OFF);
      else tell([...issue.path, key], unknownKey(key, issue.path));
    }
    if (keys.length === 0) tell(issue.path, layer.wordsFor?.(issue.path) ?? issue.message);
    for (const name of issue.path.length > 0 ? [issue.path[0]!] : keys) wrong.add(name);
  }
  found.sort(({ place: a }, { place: b }) => a.line - b.line || a.column - b.column);
  const problems = new Set(found.map(({ path, words }) => `${layer.nameOf(path)}: ${words}`));
  return { layer, settings: rightOnes(layer.settings, wrong), wrong, problems: [...problems] };
}

type Issue = z.core.$ZodIssue;

/** What is wrong within the one of several forms that was meant, if it is plain which that is. */
function innermost(issue: Issue): Issue[] {
  if (issue.code === "invalid_key") {
    return issue.issues.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
  }
  if (issue.code !== "invalid_union") return [issue];
  const isOtherKind = ({ path, code }: Issue): boolean =>
    path.length === 0 && (code === "invalid_type" || code === "invalid_value" || code === "invalid_union");
  const meant = issue.errors.filter((errors) => !errors.some(isOtherKind));
  if (meant.length !== 1) return [issue];
  return meant[0]!.flatMap((inner) => innermost({ ...inner, path: [...issue.path, ...inner.path] }));
}

const CUT_OFF = "found words that are no settings, expected quotes around text with a comma in it";

/** Whether a key of a user is what YAML makes of the words after a comma: a key with nothing as its value. */
function isCutOff(settings: unknown, path: readonly PropertyKey[], key: string): boolean {
  if (path[0] !== "users" || path.length < 2) return false;
  const at = [...path, key].reduce<unknown>((value, part) => Object(value)[part], settings);
  return at === null;
}

function unknownKey(key: string, path: readonly PropertyKey[]): string {
  const known = knownKeys(schema, path);
  const near = nearest(key, known);
  return `unknown setting, ${near === undefined ? `expected one of ${known.join(", ")}` : `did you mean "${near}"?`}`;
}

/** The settings without the wrong ones. Those left are right by themselves: no rule looks at two. */
function rightOnes(settings: unknown, wrong: ReadonlySet<PropertyKey>): Settings {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) return {};
  const result = schema.safeParse(Object.fromEntries(Object.entries(settings).filter(([key]) => !wrong.has(key))));
  return result.success ? result.data : {};
}

/**
 * Writes a path as people do: `users[1].password`.
 *
 * @param path Keys and indices.
 */
export function formatPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else if (/^[\w$]+$/.test(String(part))) text += `${text === "" ? "" : "."}${String(part)}`;
    else text += `["${printable(String(part))}"]`;
  }
  return text;
}
