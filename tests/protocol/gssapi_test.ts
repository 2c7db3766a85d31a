import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { ProtocolError } from "../../src/protocol/decoded.ts";
import {
  decodeGssapiFrame,
  encodeGssapiAbort,
  encodeGssapiFrame,
  gssapiFrameFor,
  GssapiMessage,
  MAX_GSSAPI_FRAME,
} from "../../src/protocol/gssapi.ts";

test("a message is written as RFC 1961 says", () => {
  assertEquals(encodeGssapiFrame(GssapiMessage.TOKEN, Uint8Array.of(7, 8)), Uint8Array.of(1, 1, 0, 2, 7, 8));
  assertEquals(encodeGssapiFrame(GssapiMessage.DATA, new Uint8Array(300)).subarray(0, 4), Uint8Array.of(1, 3, 1, 44));
  assertEquals(encodeGssapiAbort(), Uint8Array.of(1, 255));
  assertThrows(() => gssapiFrameFor(GssapiMessage.DATA, 65_536), RangeError);
  assertEquals(gssapiFrameFor(GssapiMessage.DATA, 65_535).length, MAX_GSSAPI_FRAME);
});

test("an abort is two bytes long, and what follows is not of it", () => {
  const read = decodeGssapiFrame(Uint8Array.of(1, 255, 9, 9, 9))!;
  assertEquals([read.value.type, read.value.token.length, read.length], [255, 0, 2]);
});

test("what is no message is refused at the byte that is wrong", () => {
  const fault = (...bytes: number[]) =>
    assertThrows(() => decodeGssapiFrame(Uint8Array.from(bytes)), ProtocolError).fault;
  for (const version of [0, 2, 5, 255]) assertEquals(fault(version), "version");
  for (const type of [0, 4, 128, 254]) assertEquals(fault(1, type), "reserved");
});

test("every message comes back as it was, whatever follows it and wherever it is cut", () => {
  const message = fc.record({ type: fc.constantFrom(1, 2, 3), token: fc.uint8Array({ maxLength: 600 }) });
  fc.assert(fc.property(message, fc.uint8Array({ maxLength: 20 }), fc.nat(), ({ type, token }, after, cut) => {
    const bytes = encodeGssapiFrame(type, token);
    const read = decodeGssapiFrame(Uint8Array.from([...bytes, ...after]))!;
    assertEquals([read.value.type, [...read.value.token], read.length], [type, [...token], bytes.length]);
    assertEquals(decodeGssapiFrame(bytes.subarray(0, cut % bytes.length)), undefined);
  }));
});

test("any bytes are a message, the beginning of one, or refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      try {
        const read = decodeGssapiFrame(bytes);
        if (read !== undefined) assertEquals(read.length <= bytes.length, true);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});
