import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { type LineEnd, LONGEST_LINE, TypedLine } from "../../src/cli/typed_line.ts";

function type(...keys: string[]): [string, LineEnd | undefined] {
  const line = new TypedLine();
  let end: LineEnd | undefined;
  for (const some of keys) end ??= line.take(some);
  return [line.text, end];
}

test("what is typed is the line, up to Enter", () => {
  assertEquals(type("lov", "elace", "\r"), ["lovelace", "entered"]);
  assertEquals(type("pässwörd 🗝\n"), ["pässwörd 🗝", "entered"]);
  assertEquals(type("a\tb"), ["a\tb", undefined]);
  assertEquals(type("\r"), ["", "entered"]);
});

test("backspace takes back a character, Ctrl+U all of them", () => {
  assertEquals(type("\x7fab🗝\x7f\bc\r"), ["ac", "entered"]);
  assertEquals(type("wrong\x15right\r"), ["right", "entered"]);
});

test("Ctrl+C interrupts, Ctrl+D closes an empty line alone", () => {
  assertEquals(type("abc\x03"), ["abc", "interrupted"]);
  assertEquals(type("\x04"), ["", "closed"]);
  assertEquals(type("a\x04b\r"), ["ab", "entered"]);
});

test("arrows and other keys that are no text count for nothing, even if they come in pieces", () => {
  assertEquals(type("a\x1b[D\x1b[1;5Cb\x1bOPc\x1b[3~\x1bxd\x00\x01\r"), ["abcd", "entered"]);
  assertEquals(type("a\x1b", "[", "1;5", "Cb\r"), ["ab", "entered"]);
});

test("a key sequence cut short holds neither Enter nor Ctrl+C", () => {
  for (const start of ["\x1b", "\x1b[", "\x1b[1;", "\x1bO"]) {
    assertEquals(type(`ab${start}`, "\r"), ["ab", "entered"], JSON.stringify(start));
    assertEquals(type(`ab${start}`, "\x03"), ["ab", "interrupted"], JSON.stringify(start));
  }
});

test("what was typed ahead is for the next line", () => {
  const line = new TypedLine();
  assertEquals([line.take("one\r\ntwo\rth"), line.text], ["entered", "one"]);
  line.clear();
  assertEquals([line.take(""), line.text], ["entered", "two"]);
  line.clear();
  assertEquals([line.take(""), line.text], [undefined, "th"]);
  assertEquals([line.take("ree\n"), line.text], ["entered", "three"]);
});

test("a line is bounded", () => {
  assertEquals(type("x".repeat(LONGEST_LINE + 10), "\r"), ["x".repeat(LONGEST_LINE), "entered"]);
});
