import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { TextSyntaxError } from "../../src/config/parsed.ts";
import { parseYaml } from "../../src/config/yaml.ts";

function mistakes(text: string): string {
  return assertThrows(() => parseYaml(text), TextSyntaxError).message;
}

test("YAML 1.2 is read with its core schema", () => {
  const text = "a: on\nb: 1h\nc: 08:00-18:00\nd: 0x10\ne: ~\nf: [no, true, 1.5]\n";
  assertEquals(parseYaml(text).value, {
    a: "on",
    b: "1h",
    c: "08:00-18:00",
    d: 16,
    e: null,
    f: ["no", true, 1.5],
  });
  assertEquals(parseYaml("").value, {});
  assertEquals(parseYaml("# nothing\n").value, {});
  assertEquals(parseYaml("a: &x [1]\nb: *x").value, { a: [1], b: [1] });
  assertEquals(parseYaml("%YAML 1.1\n---\na: yes").value, { a: "yes" });
  assertEquals(JSON.stringify(parseYaml("__proto__: 1").value), '{"__proto__":1}');
});

test("each value has its place, also behind an alias", () => {
  const { positionOf } = parseYaml("a:\n  - 1\n  - b: 2\nc: &x\n  d: 1\ne: *x\n");
  assertEquals(positionOf([]), undefined);
  assertEquals(positionOf(["a"]), { line: 1, column: 1 });
  assertEquals(positionOf(["a", 0]), { line: 2, column: 5 });
  assertEquals(positionOf(["a", 1, "b"]), { line: 3, column: 5 });
  assertEquals(positionOf(["a", 2]), { line: 1, column: 1 });
  assertEquals(positionOf(["e", "d"]), { line: 5, column: 3 });
  assertEquals(positionOf(["x"]), undefined);
});

test("a mistake is told by line and column, and in words of ours", () => {
  const cases: [string, string][] = [
    ["a: 1\na: 2\nb: {c: 1, c: 2}", '2:1: found the key "a" a second time\n3:11: found the key "c" a second time'],
    ["a: !foo x", "1:4: found a tag that is not known here, or a value that does not fit it, expected none"],
    ["a: !!binary x", "1:4: found a tag that is not known here, or a value that does not fit it, expected none"],
    ['a: "x', "1:6: found the end of the file, expected the end of the text in quotes, list or map"],
    ["a: [1", "1:6: found the end of the file, expected the end of the text in quotes, list or map"],
    ["a: x: y", "1:4: found a list or map where a key was expected; text with a colon needs quotes"],
    ["a: @x", '1:4: found "@", expected YAML; text with special characters needs quotes'],
    ["a:\n\t- b", "2:1: found a tab as indentation, expected spaces"],
    ["a: 1\n---\nb: 2", "2:1: found a second document, expected one"],
    ["a: *x", "1:4: found an alias of an anchor that is not there; text that begins with * needs quotes"],
    ["? [a]\n: b", "1:3: found a key that is no text, expected text"],
    [
      'a: "\\q"',
      "1:5: found an escape that YAML has not, expected \\\\ for a backslash, or single quotes around the text",
    ],
  ];
  for (const [text, expected] of cases) assertEquals(mistakes(text), expected, text);
});

test("a bomb of aliases does not go off", () => {
  const levels = "abcdefgh".split("").map((name, level) =>
    `${name}: &${name} [${Array(9).fill(level === 0 ? "x" : `*${"abcdefgh"[level - 1]}`).join(", ")}]`
  );
  assertEquals(mistakes(levels.join("\n")), "1:1: found aliases that stand for too much, expected at most 100");
});

test("no more than a character of the text is shown", () => {
  for (
    const text of ["p: *hunter2", "p: !hunter2 x", "p: x: hunter2", 'p: "a" hunter2', "p: 'x\nhunter2", "p: @hunter2"]
  ) {
    assertEquals(/unter/.test(mistakes(text)), false, mistakes(text));
  }
});
