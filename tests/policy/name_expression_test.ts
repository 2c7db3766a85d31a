import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { parseNameExpression } from "../../src/policy/name_expression.ts";

test("an expression matches what JavaScript says that it does", () => {
  const names = [
    ...["", "a", "ads.example.com", "ad12.x", "x-ads.net", "my_host", "xn--bcher-kva.example", "1.2", "aaa", "a-b-c"],
    ...["track.er", "cdn7-12.example.net", "ä.example", "a.b.c.d", "-", "."],
  ];
  const sources = [
    ...["^ads?\\d*\\.", "a|b$", "^(?:[a-z0-9-]+\\.)*example\\.com$", "\\bads\\b", "\\Bs", "^$", "^.$", "x{2}", "a{2,}"],
    ...[
      "a{1,2}$",
      "(a+)+$",
      "(?<part>a|b)+?c",
      "[^a-z.]",
      "[\\w-.]+\\.net",
      "[-a]$",
      "[a\\-z]{3}",
      "A.*B",
      "\\.",
      "a{",
    ],
    ...["[.]", "\\/", "\\-", "[\\d_]", "[^\\W\\d]", "()", "(|a)b", "^a??b", "[X-Z_]", "[\\]]", "[^]$", "[]", "{", "]"],
    "(?:^|\\.)example\\.(com|net)$",
  ];
  for (const source of sources) {
    const [ours, theirs] = [parseNameExpression(`/${source}/`), new RegExp(source, "i")];
    for (const name of names) assertEquals(ours(name), theirs.test(name), `${source} and ${JSON.stringify(name)}`);
  }
});

test("any expression matches what JavaScript says that it does", () => {
  const atom = fc.constantFrom("a", "b", "C", ".", "\\.", "\\d", "\\w", "\\W", "[ab]", "[^b-]", "^", "$", "\\b", "\\B");
  const { source } = fc.letrec<{ source: string; piece: string }>((tie) => ({
    source: fc.oneof(
      fc.array(tie("piece"), { maxLength: 4 }).map((all) => all.join("")),
      fc.tuple(tie("source"), tie("source")).map((all) => all.join("|")),
    ),
    piece: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      atom,
      fc.tuple(tie("source"), fc.constantFrom("", "*", "+", "?", "{2}", "{1,3}", "{0,}", "+?"))
        .map(([inner, times]) => `(?:${inner})${times}`),
    ),
  }));
  const name = fc.string({ unit: fc.constantFrom("a", "b", "c", ".", "1", "-"), maxLength: 8 });
  fc.assert(
    fc.property(
      source.filter((text) => text !== "" && text.length < 50),
      fc.array(name, { minLength: 5, maxLength: 5 }),
      (source, names) => {
        const [ours, theirs] = [parseNameExpression(`/${source}/`), new RegExp(source, "i")];
        for (const name of names) assertEquals(ours(name), theirs.test(name), `${source} and ${JSON.stringify(name)}`);
      },
    ),
    { numRuns: 1000 },
  );
});

test("no name makes an expression take forever", () => {
  // A backtracking matcher would not end with these.
  const name = `${"a".repeat(254)}!`;
  for (const source of ["(a+)+$", "^(a|a)*$", "^(a|aa)+$", ".*.*.*.*.*x", "(.*)*b", "(?:a?){100}a{100}b"]) {
    assertEquals(parseNameExpression(`/${source}/`)(name), false, source);
  }
});

test("an expression with more places than are remembered still matches what it should", () => {
  const matches = parseNameExpression("/a[ab]{9}$/"); // a thousand places
  const name = fc.string({ unit: fc.constantFrom("a", "b"), minLength: 5, maxLength: 60 });
  fc.assert(fc.property(name, (name) => assertEquals(matches(name), /a[ab]{9}$/.test(name))), { numRuns: 500 });
});

test("what cannot be matched in linear time, or is too long, is refused", () => {
  const wrong: Record<string, string> = {
    "(?=a)": "a regular expression without (?=",
    "(?<!a)b": "a regular expression without (?<",
    "(a)\\1": "a regular expression without \\1",
    "(?<x>a)\\k<x>": "a regular expression without \\k",
    "\\x41": "a regular expression without \\x",
    "[\\u0041]": "a regular expression without \\u",
    "(": "a regular expression that JavaScript can read",
    "a**": "a regular expression that JavaScript can read",
    "(a{99}){99}": "a shorter regular expression, or fewer repetitions",
    "((((a{0,9}){0,9}){0,9}){0,9}){0,9}": "a shorter regular expression, or fewer repetitions",
    "(((){999}){999}){999}": "a shorter regular expression, or fewer repetitions",
    "a{99999999999}": "a shorter regular expression, or fewer repetitions",
  };
  for (const [source, expected] of Object.entries(wrong)) {
    const { message } = assertThrows(() => parseNameExpression(`/${source}/`), RangeError);
    assertEquals(message, `found "/${source}/", expected ${expected}`);
  }
});
