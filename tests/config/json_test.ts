import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { parseJson } from "../../src/config/json.ts";
import { TextSyntaxError } from "../../src/config/parsed.ts";

function mistakes(text: string): string {
  return assertThrows(() => parseJson(text), TextSyntaxError).message;
}

test("JSON is read, with comments and commas after the last item", () => {
  const text = '// a comment\n{\n  "a": [1, -2.5e3, { "b": null },], /* another */ "c": "ü\\n\\u00fc", "d": true,\n}\n';
  assertEquals(JSON.stringify(parseJson(text).value), '{"a":[1,-2500,{"b":null}],"c":"ü\\nü","d":true}');
  assertEquals(JSON.stringify(parseJson('{ "__proto__": 1 }').value), '{"__proto__":1}');
});

test("each value has its place", () => {
  const { positionOf } = parseJson('{ "a": [1, {\n  "b": 2 }] }');
  assertEquals(positionOf([]), undefined);
  assertEquals(positionOf(["a"]), { line: 1, column: 3 });
  assertEquals(positionOf(["a", 1]), { line: 1, column: 12 });
  assertEquals(positionOf(["a", 1, "b"]), { line: 2, column: 3 });
  assertEquals(positionOf(["a", 1, "c", "d"]), { line: 1, column: 12 });
  assertEquals(positionOf(["x"]), undefined);
});

test("a mistake is told by line and column, what was found and what belongs there", () => {
  const cases: [string, string][] = [
    ["", "1:1: found the end of the file, expected a value"],
    ["{", '1:2: found the end of the file, expected "," or "}"'],
    ['{\r\n  "ü": 1\r\n  "b": 2\r\n}', '3:3: found a quotation mark, expected "," or the end of the list or object'],
    ['{"a" 1}', '1:6: found "1", expected ":"'],
    ['{"a":}', '1:6: found "}", expected a value'],
    ["{a:1}", '1:2: found "a", expected double quotes around text and keys'],
    ["{'a':1}", '1:2: found "\'", expected double quotes around text and keys'],
    ['{"a":1,,}', '1:8: found ",", expected a key in double quotes'],
    ["[1 2]", '1:4: found "2", expected "," or the end of the list or object'],
    ['{"a":[1}', '1:8: found "}", expected "," or the end of the list or object'],
    ['{"a":1} {}', '1:9: found "{", expected the end of the file'],
    ["/* x", '1:1: found "/", expected the end of the comment'],
    [
      '{"a":"x\n"}',
      "1:6: found a quotation mark, expected text that ends on its line and has only the escapes of JSON",
    ],
    [
      '{"a":"\\q"}',
      "1:6: found a quotation mark, expected text that ends on its line and has only the escapes of JSON",
    ],
    ['{"a":NaN}', '1:6: found "N", expected double quotes around text and keys'],
    ["[\u202e]", "1:2: found a character that cannot stand here, expected double quotes around text and keys"],
  ];
  for (const [text, expected] of cases) assertEquals(mistakes(text), expected, text);
});

test("every key that stands twice is told", () => {
  assertEquals(
    mistakes('{ "a": 1, "b": [{ "c": 1, "c": 2 }],\n"a": 3 }'),
    '1:27: found the key "c" a second time\n2:1: found the key "a" a second time',
  );
});

test("no more than a character of the text is shown", () => {
  for (const text of ['{"password": hunter2}', '{"password": "hunter2\n"}', '{"password": "x"hunter2}', "hunter2"]) {
    assertEquals(/unter/.test(mistakes(text)), false, mistakes(text));
  }
});
