/**
 * JSON with comments, and commas after the last item.
 *
 * @module
 */

import { getNodeValue, type Node, type ParseError, parseTree } from "jsonc-parser";
import { characterAt, type Parsed, positionAt, positionsIn, type TextMistake, TextSyntaxError } from "./parsed.ts";

/**
 * Reads JSON, which may have comments and commas after the last item. A key that an object holds twice is a mistake:
 * one of the two values would be lost.
 *
 * @param text The text.
 * @throws {TextSyntaxError} At the first mistake, or at every repeated key.
 */
export function parseJson(text: string): Parsed {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { allowTrailingComma: true });
  // What follows the first error is often its echo.
  if (errors[0] !== undefined) throw new TextSyntaxError([mistakeOf(errors[0], text)]);
  const repeated = repeatedKeys(root!, text);
  if (repeated.length > 0) throw new TextSyntaxError(repeated);
  const positionAtOffset = positionsIn(text);
  return {
    value: getNodeValue(root!),
    positionOf(path) {
      const node = nodeAt(root!, path);
      return node === root ? undefined : positionAtOffset(node.offset);
    },
  };
}

const SCALAR = "a value";
const STRING = "text that ends on its line and has only the escapes of JSON";

/** By jsonc-parser's ParseErrorCode. */
const EXPECTED: Readonly<Record<number, string>> = {
  1: "double quotes around text and keys",
  2: "a number as JSON writes it",
  3: "a key in double quotes",
  4: SCALAR,
  5: '":"',
  6: '"," or the end of the list or object',
  7: '"," or "}"',
  8: '"," or "]"',
  9: "the end of the file",
  10: "no comment here",
  11: "the end of the comment",
  12: STRING,
  13: "a number as JSON writes it",
  14: STRING,
  15: STRING,
  16: STRING,
};

function mistakeOf({ error, offset }: ParseError, text: string): TextMistake {
  const message = `found ${characterAt(text, offset)}, expected ${EXPECTED[error] ?? "JSON"}`;
  return { ...positionAt(text, offset), message };
}

function repeatedKeys(node: Node, text: string): TextMistake[] {
  const found: TextMistake[] = [];
  const keys = new Set<string>();
  for (const child of node.children ?? []) {
    const [key, value] = child.type === "property" ? child.children! : [undefined, child];
    if (key !== undefined && keys.has(key.value)) {
      found.push({ ...positionAt(text, key.offset), message: `found the key "${key.value}" a second time` });
    }
    if (key !== undefined) keys.add(key.value);
    if (value !== undefined) found.push(...repeatedKeys(value, text));
  }
  return found;
}

/** The key or item at a path, or the nearest around it. */
function nodeAt(root: Node, path: readonly PropertyKey[]): Node {
  let [container, found]: [Node | undefined, Node] = [root, root];
  for (const part of path) {
    const children: Node[] = container?.children ?? [];
    const child: Node | undefined = container?.type === "array"
      ? children[Number(part)]
      : children.find(({ children }) => children?.[0]?.value === part);
    if (child === undefined) return found;
    [found, container] = child.type === "property" ? [child.children![0]!, child.children![1]] : [child, child];
  }
  return found;
}
