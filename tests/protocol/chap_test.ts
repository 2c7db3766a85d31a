import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import {
  ChapAttribute,
  type ChapValue,
  decodeChap,
  encodeChap,
  encodeChapStatus,
  isChapSuccess,
  MAX_CHAP,
  MAX_CHAP_ATTRIBUTES,
} from "../../src/protocol/chap.ts";
import { almost, ascii, assertFramed, assertStable, assertTotal, bytes, faultOf } from "./_codec.ts";

const attribute: fc.Arbitrary<ChapValue> = fc.record({
  type: fc.integer({ min: 0, max: 255 }),
  value: fc.uint8Array({ maxLength: 255 }),
});

test("a message is VER 01, NAVAS, and TYPE, LEN and VALUE of each attribute", () => {
  const attributes = [
    { type: ChapAttribute.ALGORITHMS, value: Uint8Array.of(0x85) },
    { type: ChapAttribute.USER_IDENTITY, value: ascii("ada") },
  ];
  const message = bytes("01 02 11 01 85 02 03 61 64 61");
  assertEquals(encodeChap(attributes), message);
  assertFramed(decodeChap, message, attributes);
});

test("a message may hold nothing, and so may a value", () => {
  assertFramed(decodeChap, bytes("01 00"), []);
  assertFramed(decodeChap, bytes("01 01 10 00"), [{ type: ChapAttribute.IDENTIFIER, value: new Uint8Array(0) }]);
});

test("another version is refused at its byte", () => {
  for (const version of [0, 2, 4, 5, 255]) assertEquals(faultOf(decodeChap, Uint8Array.of(version)), "version");
});

test("as many attributes as are read have room, and one more is refused before it is sent", () => {
  const value = new Uint8Array(255).fill(7);
  const most = Array.from({ length: MAX_CHAP_ATTRIBUTES }, (_, type) => ({ type, value }));
  const message = encodeChap(most);
  assertEquals(message.length, MAX_CHAP);
  assertEquals(decodeChap(message), { value: most, length: MAX_CHAP });
  for (const count of [MAX_CHAP_ATTRIBUTES + 1, 255]) {
    assertEquals(faultOf(decodeChap, Uint8Array.of(1, count)), "too-long");
  }
  assertThrows(() => encodeChap([...most, ...most]), RangeError);
  assertThrows(() => encodeChap([{ type: 3, value: new Uint8Array(256) }]), RangeError);
});

test("the values are copies, for the buffer they came in is used again", () => {
  const message = bytes("01 01 02 01 61");
  const attributes = decodeChap(message)!.value;
  message.fill(0);
  assertEquals(attributes, [{ type: ChapAttribute.USER_IDENTITY, value: ascii("a") }]);
});

test("a status of zeros alone is success", () => {
  assertEquals(encodeChapStatus(0), bytes("01 01 00 01 00"));
  assertEquals(
    encodeChapStatus(0, { type: ChapAttribute.RESPONSE, value: Uint8Array.of(9) }),
    bytes("01 02 00 01 00 04 01 09"),
  );
  assertEquals(["00", "00 00", "01", "ff", "00 01", "01 00", ""].map((value) => isChapSuccess(bytes(value))), [
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});

test("every message survives the wire, and each of its prefixes asks for more", () => {
  const messages = fc.array(attribute, { maxLength: 4 });
  fc.assert(
    fc.property(messages, (attributes) => assertFramed(decodeChap, encodeChap(attributes), attributes)),
    { numRuns: 30 },
  );
});

test("garbage is a message, a call for more or a ProtocolError", () => {
  fc.assert(fc.property(almost([[1], [1, 0], [1, 2, 3, 1], [1, 16], [1, 17], [1, 255]], 600), (garbage) => {
    assertTotal(decodeChap, MAX_CHAP, garbage);
    assertStable<unknown>(decodeChap, garbage.subarray(0, 40));
  }));
});
