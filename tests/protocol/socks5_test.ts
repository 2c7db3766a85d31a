import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { Command, Reply } from "../../src/protocol/constants.ts";
import {
  decodeGreeting,
  decodeMethodSelection,
  decodeReply,
  decodeRequest,
  encodeGreeting,
  encodeMethodSelection,
  encodeReply,
  encodeRequest,
  MAX_GREETING,
  MAX_REQUEST,
  replyText,
} from "../../src/protocol/socks5.ts";
import { almost, anyTarget, ascii, assertFramed, assertStable, assertTotal, bytes, faultOf, join } from "./_codec.ts";

const byte = fc.integer({ min: 0, max: 255 });

test("a greeting is VER 05, NMETHODS and the methods", () => {
  assertEquals(encodeGreeting([0, 2]), bytes("05 02 00 02"));
  assertFramed(decodeGreeting, bytes("05 01 00"), [0]);
  assertFramed(decodeGreeting, bytes("05 03 00 01 02"), [0, 1, 2]);
});

test("a greeting with 255 methods is the longest", () => {
  const methods = Array.from({ length: 255 }, (_, i) => i);
  const message = encodeGreeting(methods);
  assertEquals(message.length, MAX_GREETING);
  assertFramed(decodeGreeting, message, methods);
  assertThrows(() => encodeGreeting([...methods, 255]), RangeError);
  assertThrows(() => encodeGreeting([]), RangeError);
});

test("a greeting without methods is refused", () => {
  assertEquals(faultOf(decodeGreeting, bytes("05 00")), "methods");
});

test("a method selection is VER 05 and the method", () => {
  assertEquals(encodeMethodSelection(0xff), bytes("05 ff"));
  assertFramed(decodeMethodSelection, bytes("05 02"), 2);
  assertFramed(decodeMethodSelection, bytes("05 ff"), 0xff);
});

test("a request is VER, CMD, RSV, ATYP, DST.ADDR and DST.PORT", () => {
  const target = { type: "ipv4", host: "192.0.2.1", port: 80 } as const;
  assertEquals(encodeRequest({ command: 1, flag: 0, target }), bytes("05 01 00 01 c0 00 02 01 00 50"));
  assertFramed(decodeRequest, bytes("05 01 00 01 c0 00 02 01 00 50"), { command: Command.CONNECT, flag: 0, target });
  assertFramed(decodeRequest, join(bytes("05 02 00 03 0b"), ascii("example.com"), bytes("01 bb")), {
    command: Command.BIND,
    flag: 0,
    target: { type: "name", host: "example.com", port: 443 },
  });
  assertFramed(decodeRequest, join(bytes("05 03 00 04"), new Uint8Array(15), bytes("01 00 35")), {
    command: Command.UDP_ASSOCIATE,
    flag: 0,
    target: { type: "ipv6", host: "::1", port: 53 },
  });
});

test("any RSV is taken", () => {
  for (let flag = 0; flag < 256; flag++) {
    const request = decodeRequest(join([5, 1, flag], bytes("01 01 02 03 04 00 01")));
    assertEquals(request?.value.flag, flag);
  }
});

test("a CMD that is none is refused as soon as it is there, before its address", () => {
  for (let command = 0; command < 256; command++) {
    const isKnown = command >= 1 && command <= 3 || command === 0xf0 || command === 0xf1;
    if (isKnown) assertEquals(decodeRequest(Uint8Array.of(5, command)), undefined);
    else assertEquals(faultOf(decodeRequest, Uint8Array.of(5, command)), "command", `CMD ${command}`);
  }
});

test("an ATYP of no RFC is refused as soon as it is there", () => {
  for (const type of [0, 2, 5, 0x7f, 0xff]) {
    assertEquals(faultOf(decodeRequest, Uint8Array.of(5, 1, 0, type)), "address-type", `ATYP ${type}`);
  }
});

test("another VER is refused at the first byte", () => {
  for (let version = 0; version < 256; version++) {
    if (version === 5) continue;
    for (const decode of [decodeGreeting, decodeMethodSelection, decodeRequest, decodeReply]) {
      assertEquals(faultOf<unknown>(decode, Uint8Array.of(version)), "version", `VER ${version}`);
    }
  }
});

test("a reply is VER, REP, RSV 00, ATYP, BND.ADDR and BND.PORT", () => {
  const bound = { type: "ipv6", host: "2001:db8::1", port: 1080 } as const;
  const message = bytes("05 00 00 04 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 04 38");
  assertEquals(encodeReply({ reply: Reply.SUCCEEDED, bound }), message);
  assertFramed(decodeReply, message, { reply: 0, bound });
  assertEquals(
    encodeReply({ reply: Reply.NOT_ALLOWED, bound: { type: "ipv4", host: "0.0.0.0", port: 0 } }),
    bytes("05 02 00 01 00 00 00 00 00 00"),
  );
});

test("a reply with any code can be read", () => {
  fc.assert(fc.property(byte, anyTarget, (reply, bound) => {
    assertFramed(decodeReply, encodeReply({ reply, bound }), { reply, bound });
  }));
});

test("every greeting, selection and request survives the wire, and each of its prefixes asks for more", () => {
  fc.assert(fc.property(fc.array(byte, { minLength: 1, maxLength: 255 }), (methods) => {
    assertFramed(decodeGreeting, encodeGreeting(methods), methods);
  }));
  fc.assert(fc.property(byte, (method) => assertFramed(decodeMethodSelection, encodeMethodSelection(method), method)));
  fc.assert(fc.property(fc.constantFrom(1, 2, 3), byte, anyTarget, (command, flag, target) => {
    const message = encodeRequest({ command, flag, target });
    assertEquals(message.length <= MAX_REQUEST, true);
    assertFramed(decodeRequest, message, { command, flag, target });
  }));
});

test("garbage is a message, a call for more or a ProtocolError", () => {
  fc.assert(
    fc.property(
      almost([[5, 1, 0, 1], [5, 2, 0, 3, 5], [5, 3, 0, 4], [5, 0xf0, 0, 3, 5], [5, 0xf1, 0, 1], [5]], 300),
      (garbage) => {
        assertTotal(decodeGreeting, MAX_GREETING, garbage);
        assertTotal(decodeMethodSelection, 2, garbage);
        assertTotal(decodeRequest, MAX_REQUEST, garbage);
        assertTotal(decodeReply, MAX_REQUEST, garbage);
        for (const decode of [decodeGreeting, decodeMethodSelection, decodeRequest, decodeReply]) {
          assertStable<unknown>(decode, garbage.subarray(0, 40));
        }
      },
    ),
  );
});

test("a reply code is told in the RFC's words", () => {
  assertEquals(replyText(0), "succeeded");
  assertEquals(replyText(5), "connection refused");
  assertEquals(replyText(0x42), "reply 66");
});
