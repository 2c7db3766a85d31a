import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { describeFound, describeKind } from "../../src/config/found.ts";

test("a found value is shown, printable and not too long", () => {
  assertEquals(describeFound("3x"), '"3x"');
  assertEquals(describeFound("a\x1b[2J"), '"a\\x1b[2J"');
  assertEquals(describeFound("x".repeat(100)), `"${"x".repeat(60)}…"`);
  assertEquals([1.5, true, null, undefined, [], [1], {}].map(describeFound), [
    "1.5",
    "true",
    "null",
    "nothing",
    "an empty list",
    "a list",
    "an object",
  ]);
});

test("of a secret only its kind and size are told", () => {
  assertEquals(["", "x", "größe", 7, false, null, undefined, ["s"], { s: "s" }].map(describeKind), [
    "empty text",
    "text of 1 byte",
    "text of 7 bytes",
    "a number",
    "a boolean",
    "null",
    "nothing",
    "a list",
    "an object",
  ]);
});
