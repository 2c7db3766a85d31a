import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { encodeIdentQuery, IDENT_PORT, parseIdentAnswer } from "../../src/protocol/ident.ts";
import { ascii } from "./_codec.ts";

test("the query names the asked host's own port first", () => {
  assertEquals(IDENT_PORT, 113);
  assertEquals(encodeIdentQuery(6193, 1080), ascii("6193 , 1080\r\n"));
});

test("a USERID answer gives the user", () => {
  // The examples of RFC 1413 section 5.
  assertEquals(parseIdentAnswer("6193, 23 : USERID : UNIX : stjohns", 6193, 23), "stjohns");
  assertEquals(parseIdentAnswer("6191, 23 : USERID : UNIX,US-ASCII : stjohns", 6191, 23), "stjohns");
  assertEquals(parseIdentAnswer("6193,23:USERID:OTHER:StJohns", 6193, 23), "StJohns");
  assertEquals(parseIdentAnswer(" 6193 , 23 : userid : UNIX : a b:c", 6193, 23), "a b:c");
});

test("an ERROR answer gives nobody", () => {
  assertEquals(parseIdentAnswer("6195, 23 : ERROR : NO-USER", 6195, 23), undefined);
  assertEquals(parseIdentAnswer("6195, 23 : ERROR : HIDDEN-USER", 6195, 23), undefined);
});

test("an answer about other ports gives nobody", () => {
  assertEquals(parseIdentAnswer("23, 6193 : USERID : UNIX : stjohns", 6193, 23), undefined);
  assertEquals(parseIdentAnswer("6193, 24 : USERID : UNIX : stjohns", 6193, 23), undefined);
  assertEquals(parseIdentAnswer("0, 0 : USERID : UNIX : root", 6193, 23), undefined);
});

test("any other text gives nobody, and in no time", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 1000 }), (line) => {
    assertEquals(parseIdentAnswer(line, 1, 2), undefined);
  }));
  assertEquals(parseIdentAnswer(`${" ".repeat(500)}1 ,${" ".repeat(499)}`, 1, 2), undefined);
});
