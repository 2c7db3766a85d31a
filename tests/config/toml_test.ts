import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { TextSyntaxError } from "../../src/config/parsed.ts";
import { parseToml } from "../../src/config/toml.ts";

function mistakes(text: string): string {
  return assertThrows(() => parseToml(text), TextSyntaxError).message;
}

test("TOML is read", () => {
  const text = 'a = "x"\nb = [1, true]\n\n[c]\nd = 2.5\n\n[[e]]\nf = 1\n[[e]]\nf = 2\n';
  assertEquals(JSON.stringify(parseToml(text).value), '{"a":"x","b":[1,true],"c":{"d":2.5},"e":[{"f":1},{"f":2}]}');
  assertEquals(parseToml(text).positionOf(["a"]), undefined);
});

test("a mistake is told by line and column, and in words of ours", () => {
  const cases: [string, string][] = [
    ["a = 1\na = 2", "2:1: found a key or table a second time, expected each once"],
    ["[x]\n[x]", "2:2: found a key or table a second time, expected each once"],
    ['a = "x', "1:5: found no end of the text in quotes"],
    ['a = "x" y', "1:9: found more on the line, expected one KEY = VALUE on each"],
    ["a = [1", "1:7: found no comma between two values, or no end of them"],
    ["= 1", "1:1: found something that is no key, expected KEY = VALUE"],
    ["a = 0123", "1:5: found something that is no number; text needs quotes"],
    ["a = 2024-13-45", "1:5: found something like a date, expected text in quotes"],
    [
      "a = hunter",
      "1:5: found something that is no value, expected text in quotes, a number, true, false, a list or a table",
    ],
    [
      'a = "\\q"',
      "1:7: found an escape that TOML has not, expected \\\\ for a backslash, or single quotes around the text",
    ],
  ];
  for (const [text, expected] of cases) assertEquals(mistakes(text), expected, text);
});

test("nothing of the text is shown", () => {
  for (const text of ["p = hunter2", 'p = "hunter2', 'p = "x" hunter2', "hunter2", 'p = "\\hunter2"', "p = 1hunter2"]) {
    assertEquals(/unter/.test(mistakes(text)), false, mistakes(text));
  }
});
