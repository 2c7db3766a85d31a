import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parseJson, TextSyntaxError } from "../../src/config/json.ts";

function problemOf(text: string): string {
  const error = assertThrows(() => parseJson(text), TextSyntaxError);
  return `${error.line}:${error.column} ${error.message}`;
}

test("a mistake is told with its line and column", () => {
  const cases: Record<string, string> = {
    "": "1:1 found the end of the file, expected a value",
    '{\n  "a": 1,\n}': '3:1 found "}", expected a key in double quotes',
    '{\r\n "a": 1\r\n "b": 2}': '3:2 found a quotation mark, expected "," or "}"',
    '{ "a" 1 }': '1:7 found "1", expected ":"',
    "[1, 2": '1:6 found the end of the file, expected "," or "]"',
    "[1,]": '1:4 found "]", expected a value',
    '["ü", tru]': '1:7 found "t", expected a value',
    '["😀", x]': '1:7 found "x", expected a value',
    "[01]": '1:2 found "0", expected a value',
    "{ 'a': 1 }": '1:3 found "\'", expected a key in double quotes',
    '{} // no\n"x"': "1:4 found a comment, which JSON has not, expected the end of the file",
    '{ "listen": 1, "listen": 2 }': '1:16 found the key "listen" a second time',
    '["a\nb"]': "1:2 found a quotation mark, expected text that ends on its line and has only the escapes of JSON",
    "[\u00a01]": "1:2 found a character that cannot stand here, expected a value",
  };
  for (const [text, expected] of Object.entries(cases)) assertEquals(problemOf(text), expected, text);
});

test("what is in quotes is not repeated: it may be a password", () => {
  for (const text of ['{"password": "sec\\qret"}', '{"password": "secret" "x"}', '{"password" "secret"}']) {
    assertEquals(problemOf(text).includes("sec"), false, text);
  }
});

test("every JSON text is read as JSON.parse reads it", () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(undefined, 1, "\t"), (text, indent) => {
      const value = JSON.parse(text);
      assertEquals(parseJson(JSON.stringify(value, null, indent)), value);
    }),
  );
});

test("a text is a mistake here exactly if it is one to JSON.parse", () => {
  const pieces = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    '"a"',
    '"b"',
    "1",
    "-0.5e+7",
    "01",
    "true",
    "nul",
    " ",
    "\n",
    '"',
    "\\",
  ];
  const text = fc.oneof(
    fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join("")),
    fc.string(),
  );
  const reads = (parse: (text: string) => unknown, text: string): boolean => {
    try {
      parse(text);
      return true;
    } catch (error) {
      // The one thing that JSON.parse lets pass.
      return error instanceof TextSyntaxError && error.message.endsWith("a second time");
    }
  };
  fc.assert(
    fc.property(text, (text) => assertEquals(reads(parseJson, text), reads(JSON.parse, text))),
    { numRuns: 2000 },
  );
});
