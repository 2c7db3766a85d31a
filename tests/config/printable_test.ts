import { test } from "node:test";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { printable, printableWord } from "../../src/config/printable.ts";

const anyText = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));

test("control characters, terminal escapes and invisible ones are escaped", () => {
  assertEquals(printable("a\x1b[31mb\r\n\0\x7f"), "a\\x1b[31mb\\x0d\\x0a\\x00\\x7f");
  assertEquals(
    printable("\u009b31m \u202eevil\u2066 \u200b\ufeff\u2028"),
    "\\x9b31m \\u{202e}evil\\u{2066} \\u{200b}\\u{feff}\\u{2028}",
  );
  assertEquals(printable("half \ud83d"), "half \\u{d83d}");
  assertEquals(printable("\u{e0041}"), "\\u{e0041}");
});

test("letters of any script and ordinary spaces stay", () => {
  assertEquals(printable("Jürgen bücher.example 例え 😀 C:\\"), "Jürgen bücher.example 例え 😀 C:\\");
});

test("a word has no space, and never looks like another", () => {
  assertEquals(printableWord("ada connect x"), "ada\\x20connect\\x20x");
  assertEquals(printableWord("a\\x20b"), "a\\\\x20b");
  assertEquals(printableWord(""), '""');
});

test("whatever comes in, nothing comes out that moves a cursor or ends a line", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert(!/[\p{C}\p{Zl}\p{Zp}]/u.test(printable(text)));
      assert(!/[\p{C}\p{Z}]/u.test(printableWord(text)));
    }),
  );
});

test("a word can be read back", () => {
  const unescape = (word: string) =>
    word.replace(/\\(?:\\|x([0-9a-f]{2})|u\{([0-9a-f]+)\})/g, (_all, short?: string, long?: string) => {
      const code = short ?? long;
      return code === undefined ? "\\" : String.fromCodePoint(parseInt(code, 16));
    });
  fc.assert(
    fc.property(anyText, (text) => {
      if (text !== "") assertEquals(unescape(printableWord(text)), text);
    }),
  );
});
