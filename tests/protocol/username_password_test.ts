import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import {
  decodeLogin,
  decodeLoginStatus,
  encodeLogin,
  encodeLoginStatus,
  MAX_LOGIN,
} from "../../src/protocol/username_password.ts";
import { almost, ascii, assertFramed, assertStable, assertTotal, bytes, faultOf } from "./_codec.ts";

const field = fc.uint8Array({ maxLength: 255 });

test("a login is VER 01, ULEN, UNAME, PLEN and PASSWD", () => {
  const login = { username: ascii("ada"), password: ascii("pw") };
  const message = bytes("01 03 61 64 61 02 70 77");
  assertEquals(encodeLogin(login), message);
  assertFramed(decodeLogin, message, login);
});

test("both fields may be empty", () => {
  const nothing = new Uint8Array(0);
  assertFramed(decodeLogin, bytes("01 00 00"), { username: nothing, password: nothing });
  assertFramed(decodeLogin, bytes("01 01 61 00"), { username: ascii("a"), password: nothing });
  assertFramed(decodeLogin, bytes("01 00 01 61"), { username: nothing, password: ascii("a") });
});

test("both fields may have 255 bytes of any value", () => {
  const most = Uint8Array.from({ length: 255 }, (_, i) => 255 - i);
  const message = encodeLogin({ username: most, password: most });
  assertEquals(message.length, MAX_LOGIN);
  assertFramed(decodeLogin, message, { username: most, password: most });
  assertThrows(() => encodeLogin({ username: new Uint8Array(256), password: most }), RangeError);
  assertThrows(() => encodeLogin({ username: most, password: new Uint8Array(256) }), RangeError);
});

test("the version is 01, not that of SOCKS", () => {
  for (const version of [0, 2, 4, 5, 255]) {
    assertEquals(faultOf(decodeLogin, Uint8Array.of(version)), "version");
    assertEquals(faultOf(decodeLoginStatus, Uint8Array.of(version)), "version");
  }
});

test("the fields are copies, for the buffer they came in is used again", () => {
  const message = bytes("01 01 61 01 62");
  const login = decodeLogin(message)!.value;
  message.fill(0);
  assertEquals(login, { username: ascii("a"), password: ascii("b") });
});

test("a status is VER 01 and STATUS", () => {
  assertEquals(encodeLoginStatus(0), bytes("01 00"));
  assertFramed(decodeLoginStatus, bytes("01 00"), 0);
  assertFramed(decodeLoginStatus, bytes("01 ff"), 255);
});

test("every login survives the wire, and each of its prefixes asks for more", () => {
  fc.assert(fc.property(field, field, (username, password) => {
    assertFramed(decodeLogin, encodeLogin({ username, password }), { username, password });
  }));
});

test("garbage is a message, a call for more or a ProtocolError", () => {
  fc.assert(fc.property(almost([[1], [1, 0], [1, 3], [1, 255]], 600), (garbage) => {
    assertTotal(decodeLogin, MAX_LOGIN, garbage);
    assertTotal(decodeLoginStatus, 2, garbage);
    assertStable<unknown>(decodeLogin, garbage.subarray(0, 40));
  }));
});
