import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { Command, Socks4Reply } from "../../src/protocol/constants.ts";
import {
  decodeSocks4Reply,
  decodeSocks4Request,
  encodeSocks4Reply,
  encodeSocks4Request,
  MAX_SOCKS4_FIELD,
  MAX_SOCKS4_REQUEST,
} from "../../src/protocol/socks4.ts";
import { almost, anyTarget, ascii, assertFramed, assertStable, assertTotal, bytes, faultOf, join } from "./_codec.ts";

const FRED = ascii("Fred");
const NUL = [0];
const letters = (length: number) => ascii("a".repeat(length));

test("a CONNECT is VN, CD, DSTPORT, DSTIP, USERID and NUL", () => {
  const message = bytes("04 01 00 50 42 66 07 63 46 72 65 64 00");
  const target = { type: "ipv4", host: "66.102.7.99", port: 80 } as const;
  const request = { command: Command.CONNECT, target, userId: FRED, isSocks4a: false };
  assertFramed(decodeSocks4Request, message, request);
  assertEquals(encodeSocks4Request(request), message);
});

test("a USERID may be empty", () => {
  assertFramed(decodeSocks4Request, bytes("04 02 04 38 c0 00 02 01 00"), {
    command: Command.BIND,
    target: { type: "ipv4", host: "192.0.2.1", port: 1080 },
    userId: new Uint8Array(0),
    isSocks4a: false,
  });
});

test("DSTIP 0.0.0.x brings a HOSTNAME behind the USERID", () => {
  for (const x of [1, 2, 127, 255]) {
    const message = join([4, 1, 0, 80, 0, 0, 0, x], FRED, NUL, ascii("example.com"), NUL);
    assertFramed(decodeSocks4Request, message, {
      command: Command.CONNECT,
      target: { type: "name", host: "example.com", port: 80 },
      userId: FRED,
      isSocks4a: true,
    });
  }
});

test("DSTIP 0.0.0.0 is plain SOCKS4", () => {
  assertFramed(decodeSocks4Request, bytes("04 02 00 00 00 00 00 00 00"), {
    command: Command.BIND,
    target: { type: "ipv4", host: "0.0.0.0", port: 0 },
    userId: new Uint8Array(0),
    isSocks4a: false,
  });
});

test("a DSTIP that is not 0.0.0.x is plain SOCKS4", () => {
  for (const host of ["0.0.1.1", "0.1.0.1", "1.0.0.1"]) {
    const message = join([4, 1, 0, 80], host.split(".").map(Number), NUL);
    assertEquals(decodeSocks4Request(message)?.value.target, { type: "ipv4", host, port: 80 });
  }
});

test("a HOSTNAME that spells an IP address is that address", () => {
  const read = (name: string) =>
    decodeSocks4Request(join(bytes("04 01 00 50 00 00 00 01 00"), ascii(name), NUL))?.value.target;
  assertEquals(read("127.0.0.1"), { type: "ipv4", host: "127.0.0.1", port: 80 });
  assertEquals(read("0x7f000001"), { type: "ipv4", host: "127.0.0.1", port: 80 });
  assertEquals(read("::ffff:10.0.0.1"), { type: "ipv4", host: "10.0.0.1", port: 80 });
  assertEquals(read("[2001:db8::1]"), { type: "ipv6", host: "2001:db8::1", port: 80 });
});

test("an empty HOSTNAME and one that is no name are refused", () => {
  const head = bytes("04 01 00 50 00 00 00 01 00");
  assertEquals(faultOf(decodeSocks4Request, join(head, NUL)), "address");
  assertEquals(faultOf(decodeSocks4Request, join(head, ascii("a b"), NUL)), "address");
  assertEquals(faultOf(decodeSocks4Request, join(head, ascii("a\r\nb"), NUL)), "address");
  assertEquals(faultOf(decodeSocks4Request, join(head, [0xff], NUL)), "address");
});

test("USERID and HOSTNAME may have 255 bytes each, and no more", () => {
  const head = bytes("04 01 00 50 00 00 00 01");
  const most = letters(MAX_SOCKS4_FIELD);
  const message = join(head, most, NUL, most, NUL);
  assertEquals(message.length, MAX_SOCKS4_REQUEST);
  assertFramed(decodeSocks4Request, message, {
    command: Command.CONNECT,
    target: { type: "name", host: "a".repeat(255), port: 80 },
    userId: most,
    isSocks4a: true,
  });
  const more = letters(MAX_SOCKS4_FIELD + 1);
  assertEquals(faultOf(decodeSocks4Request, join(head, more)), "too-long");
  assertEquals(faultOf(decodeSocks4Request, join(head, more, NUL)), "too-long");
  assertEquals(faultOf(decodeSocks4Request, join(head, FRED, NUL, more)), "too-long");
  assertEquals(faultOf(decodeSocks4Request, join(head, FRED, NUL, more, NUL)), "too-long");
});

test("a field that never ends is refused, however much of it comes", () => {
  assertEquals(faultOf(decodeSocks4Request, join(bytes("04 01 00 50 01 01 01 01"), letters(100_000))), "too-long");
});

test("a CD that SOCKS4 does not have is refused as soon as it is there", () => {
  for (let command = 0; command < 256; command++) {
    if (command === 1 || command === 2 || command === 0xf0) continue;
    assertEquals(faultOf(decodeSocks4Request, Uint8Array.of(4, command)), "command", `CD ${command}`);
  }
});

test("another VN is refused at the first byte", () => {
  for (let version = 0; version < 256; version++) {
    if (version !== 4) assertEquals(faultOf(decodeSocks4Request, Uint8Array.of(version)), "version");
    if (version !== 0) assertEquals(faultOf(decodeSocks4Reply, Uint8Array.of(version)), "version");
  }
});

test("a reply is 8 bytes and begins with 00", () => {
  const bound = { type: "ipv4", host: "192.0.2.1", port: 1080 } as const;
  const message = bytes("00 5a 04 38 c0 00 02 01");
  assertEquals(encodeSocks4Reply({ reply: Socks4Reply.GRANTED, bound }), message);
  assertFramed(decodeSocks4Reply, message, { reply: 90, bound });
});

test("an address that is not IPv4 cannot be said in a reply and becomes zeros", () => {
  const zeros = bytes("00 5a 00 00 00 00 00 00");
  assertEquals(encodeSocks4Reply({ reply: 90, bound: { type: "ipv6", host: "2001:db8::1", port: 443 } }), zeros);
  assertEquals(encodeSocks4Reply({ reply: 90, bound: { type: "name", host: "example.com", port: 443 } }), zeros);
});

test("every request and reply survives the wire, and each of its prefixes asks for more", () => {
  const userId = fc.uint8Array({ maxLength: 255 }).map((id) => id.filter((byte) => byte !== 0));
  fc.assert(
    fc.property(fc.constantFrom(1, 2, 0xf0), anyTarget, userId, fc.boolean(), (command, given, userId, asName) => {
      // 0.0.0.x cannot be said in plain SOCKS4: it is what marks 4a.
      const isMarker = given.type === "ipv4" && /^0\.0\.0\.[1-9]/.test(given.host);
      const isSocks4a = given.type !== "ipv4" || asName || isMarker;
      const request = { command, target: given, userId, isSocks4a };
      assertFramed(decodeSocks4Request, encodeSocks4Request(request), request);
    }),
  );
  fc.assert(fc.property(fc.integer({ min: 0, max: 255 }), anyTarget, (reply, target) => {
    if (target.type !== "ipv4") return;
    assertFramed(decodeSocks4Reply, encodeSocks4Reply({ reply, bound: target }), { reply, bound: target });
  }));
});

test("garbage is a message, a call for more or a ProtocolError", () => {
  const starts = [[4, 1, 0, 80, 0, 0, 0, 1], [4, 2, 0, 80, 1, 2, 3, 4], [4, 0xf0, 0, 0, 0, 0, 0, 1], [0, 90]];
  fc.assert(fc.property(almost(starts, 600), (garbage) => {
    assertTotal(decodeSocks4Request, MAX_SOCKS4_REQUEST, garbage);
    assertTotal(decodeSocks4Reply, 8, garbage);
    assertStable<unknown>(decodeSocks4Request, garbage.subarray(0, 40));
    assertStable<unknown>(decodeSocks4Reply, garbage.subarray(0, 40));
  }));
});
