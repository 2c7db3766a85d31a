/**
 * YAML 1.2 with its core schema: text, numbers, true, false, null, lists and maps.
 *
 * @module
 */

import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";
import { characterAt, type Parsed, positionAt, positionsIn, type TextMistake, TextSyntaxError } from "./parsed.ts";

/** Aliases may repeat a value this often; more is a bomb. */
const MOST_ALIASES = 100;

/**
 * Reads YAML. Tags of one's own, keys that are no text and keys that a map holds twice are mistakes.
 *
 * @param text The text; an empty one is an empty map.
 * @throws {TextSyntaxError} At the first mistake, or at every repeated key.
 */
export function parseYaml(text: string): Parsed {
  const document = parseDocument(text, {
    version: "1.2",
    schema: "core",
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
    prettyErrors: false,
    logLevel: "error", // "silent" would take the first of several documents
  });
  const errors = [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
  const repeated = errors.filter(({ code }) => code === "DUPLICATE_KEY");
  // What follows the first error is often its echo.
  const told = repeated.length === errors.length
    ? errors
    : errors.filter((error) => !repeated.includes(error)).slice(0, 1);
  if (told.length > 0) throw new TextSyntaxError(told.map((error) => mistakeOf(error, text)));
  const positionAtOffset = positionsIn(text);
  return {
    value: valueOf(document, text) ?? {},
    positionOf(path) {
      const offset = offsetAt(document, path);
      return offset === undefined ? undefined : positionAtOffset(offset);
    },
  };
}

function valueOf(document: Document, text: string): unknown {
  try {
    return document.toJS({ maxAliasCount: MOST_ALIASES });
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    const lost = lostAlias(document);
    const message = lost === undefined
      ? `found aliases that stand for too much, expected at most ${MOST_ALIASES}`
      : "found an alias of an anchor that is not there; text that begins with * needs quotes";
    throw new TextSyntaxError([{ ...positionAt(text, lost?.range?.[0] ?? 0), message }]);
  }
}

/** The first alias that has no anchor. */
function lostAlias(document: Document): Alias | undefined {
  let lost: Alias | undefined;
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) !== undefined) return;
      lost = alias;
      return visit.BREAK;
    },
  });
  return lost;
}

/** The library's own words repeat pieces of the text. */
const WORDS: Readonly<Partial<Record<YAMLError["code"], string>>> = {
  ALIAS_PROPS: "found a tag or an anchor on an alias, expected the alias alone",
  BAD_ALIAS: "found an alias or anchor without a name, or with a colon at its end",
  BAD_COLLECTION_TYPE: "found a tag that does not fit, expected none",
  BAD_DIRECTIVE: "found a directive, expected settings",
  BAD_DQ_ESCAPE: "found an escape that YAML has not, expected \\\\ for a backslash, or single quotes around the text",
  BAD_INDENT: "found a wrong indentation, expected that of the lines which belong together",
  BLOCK_AS_IMPLICIT_KEY: "found a list or map where a key was expected; text with a colon needs quotes",
  BLOCK_IN_FLOW: "found an indented list or map within brackets, expected brackets for it too",
  KEY_OVER_1024_CHARS: "found a key of more than 1024 characters",
  MULTILINE_IMPLICIT_KEY: "found a key without a colon, or one over several lines, expected KEY: VALUE on a line",
  MULTIPLE_ANCHORS: "found two anchors, expected one",
  MULTIPLE_DOCS: "found a second document, expected one",
  MULTIPLE_TAGS: "found two tags, expected none",
  NON_STRING_KEY: "found a key that is no text, expected text",
  RESOURCE_EXHAUSTION: "found lists or maps that are nested too deep",
  TAB_AS_INDENT: "found a tab as indentation, expected spaces",
  TAG_RESOLVE_FAILED: "found a tag that is not known here, or a value that does not fit it, expected none",
};

function mistakeOf({ code, pos: [start] }: YAMLError, text: string): TextMistake {
  const place = positionAt(text, start);
  if (code === "DUPLICATE_KEY") return { ...place, message: `found the key "${keyAt(text, start)}" a second time` };
  if (start >= text.trimEnd().length && code !== "BAD_DQ_ESCAPE") {
    return { ...place, message: "found the end of the file, expected the end of the text in quotes, list or map" };
  }
  const words = WORDS[code];
  if (words !== undefined) return { ...place, message: words };
  return {
    ...place,
    message: `found ${characterAt(text, start)}, expected YAML; text with special characters needs quotes`,
  };
}

/** The key of a map as it stands there: keys are no secret. */
function keyAt(text: string, start: number): string {
  return /^(?:"([^"\n]*)"|'([^'\n]*)'|([^\s:,]+))/.exec(text.slice(start))?.slice(1).find((key) => key !== undefined) ??
    "";
}

/** Where the key or item at a path begins, or the nearest around it. */
function offsetAt(document: Document, path: readonly PropertyKey[]): number | undefined {
  let container: Node | null | undefined = document.contents;
  let offset: number | undefined;
  for (const part of path) {
    if (isAlias(container)) container = container.resolve(document);
    let found: Node | undefined;
    if (isMap(container)) {
      const pair: Pair | undefined = container.items.find(({ key }) => isScalar(key) && key.value === part);
      found = isNode(pair?.key) ? pair.key : undefined;
      container = isNode(pair?.value) ? pair.value : undefined;
    } else if (isSeq(container)) {
      const item: unknown = container.items[Number(part)];
      found = container = isNode(item) ? item : undefined;
    }
    if (found === undefined) return offset;
    offset = found.range?.[0] ?? offset;
  }
  return offset;
}
