import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { addressSize, decodeAddress, decodeName, encodeAddress, targetOf } from "../../src/protocol/address.ts";
import { almost, anyTarget, ascii, assertFramed, assertStable, assertTotal, bytes, faultOf, join } from "./_codec.ts";

const decode = (input: Uint8Array) => decodeAddress(input, 0);
const named = (name: Uint8Array) => join([3, name.length], name, [0, 80]);

test("an IPv4 address is ATYP 01, four bytes and the port", () => {
  assertFramed(decode, bytes("01 c0 00 02 01 01 bb"), { type: "ipv4", host: "192.0.2.1", port: 443 });
});

test("a name is ATYP 03, its length, its bytes and the port", () => {
  assertFramed(decode, join([3, 11], ascii("example.com"), [0, 80]), { type: "name", host: "example.com", port: 80 });
});

test("an IPv6 address is ATYP 04, sixteen bytes and the port", () => {
  const message = bytes("04 20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 01 ff ff");
  assertFramed(decode, message, { type: "ipv6", host: "2001:db8::1", port: 65535 });
});

test("a v4-mapped address is the IPv4 address", () => {
  const message = bytes("04 00 00 00 00 00 00 00 00 00 00 ff ff 7f 00 00 01 00 50");
  assertFramed(decode, message, { type: "ipv4", host: "127.0.0.1", port: 80 });
});

test("an address is read from where it stands", () => {
  const message = join([9, 9, 9], bytes("01 0a 00 00 01 00 50"), [7]);
  assertEquals(decodeAddress(message, 3), { value: { type: "ipv4", host: "10.0.0.1", port: 80 }, length: 7 });
});

const LITERALS: readonly (readonly [string, "ipv4" | "ipv6", string])[] = [
  ["127.0.0.1", "ipv4", "127.0.0.1"],
  ["2130706433", "ipv4", "127.0.0.1"],
  ["0177.0.0.1", "ipv4", "127.0.0.1"],
  ["0x7f.0.0.1", "ipv4", "127.0.0.1"],
  ["0X7F.1", "ipv4", "127.0.0.1"],
  ["0x7f000001", "ipv4", "127.0.0.1"],
  ["017700000001", "ipv4", "127.0.0.1"],
  ["127.1", "ipv4", "127.0.0.1"],
  ["127.0.1", "ipv4", "127.0.0.1"],
  ["0", "ipv4", "0.0.0.0"],
  ["::1", "ipv6", "::1"],
  ["[::1]", "ipv6", "::1"],
  ["2001:DB8:0:0:0:0:0:1", "ipv6", "2001:db8::1"],
  ["::ffff:127.0.0.1", "ipv4", "127.0.0.1"],
  ["[::ffff:7f00:1]", "ipv4", "127.0.0.1"],
];

test("a name that spells an IP address is that address, however it spells it", () => {
  for (const [spelt, type, host] of LITERALS) {
    assertEquals(decode(named(ascii(spelt)))?.value, { type, host, port: 80 }, spelt);
    assertEquals(targetOf(spelt, 80), { type, host, port: 80 }, spelt);
  }
});

test("a name that only resembles an IP address stays a name", () => {
  for (
    const name of ["1.2.3.4.5", "256.0.0.1", "1.2.3.4x", "4294967296", "[1.2.3.4]", "::1%eth0", "[::1", "08.0.0.1"]
  ) {
    assertEquals(decode(named(ascii(name)))?.value, { type: "name", host: name, port: 80 }, name);
  }
});

test("an ATYP of no RFC is refused at once, and nothing is skipped", () => {
  for (let type = 0; type < 256; type++) {
    if (type === 1 || type === 3 || type === 4) continue;
    assertEquals(faultOf(decode, Uint8Array.of(type)), "address-type", `ATYP ${type}`);
    assertEquals(faultOf(decode, join([type], new Uint8Array(300))), "address-type", `ATYP ${type}`);
  }
});

test("an empty name is refused", () => {
  assertEquals(faultOf(decode, bytes("03 00")), "address");
  assertEquals(faultOf(decode, bytes("03 00 00 50")), "address");
});

test("NUL, control characters and spaces are refused in a name", () => {
  for (let code = 0; code < 256; code++) {
    if (code > 0x20 && code !== 0x7f) continue;
    assertEquals(faultOf(decode, named(join(ascii("a"), [code], ascii("b")))), "address", `byte ${code}`);
    assertEquals(faultOf(decodeName, Uint8Array.of(code)), "address", `byte ${code} alone`);
  }
});

test("bytes that are not UTF-8 are refused in a name", () => {
  for (const wrong of ["80", "c3", "c3 28", "e2 82", "f8 88 80 80 80", "ed a0 80", "c0 80", "ff"]) {
    assertEquals(faultOf(decode, named(join(ascii("a"), bytes(wrong)))), "address", wrong);
  }
});

test("a name of a byte order mark alone is not an empty name", () => {
  const message = named(bytes("ef bb bf"));
  const decoded = (() => {
    try {
      return decode(message);
    } catch {
      return undefined; // refusing it would do as well
    }
  })();
  if (decoded !== undefined) assertEquals(decoded.value.host, "\ufeff");
});

test("a name of 255 bytes is read and written, a longer one is not written", () => {
  const host = "a".repeat(255);
  const into = new Uint8Array(259);
  encodeAddress({ type: "name", host, port: 1 }, into, 0);
  assertFramed(decode, into, { type: "name", host, port: 1 });
  const tooLong = { type: "name", host: `${host}a`, port: 1 } as const;
  assertThrows(() => encodeAddress(tooLong, new Uint8Array(300), 0), RangeError);
  assertThrows(() => addressSize(tooLong), RangeError);
  assertThrows(() => addressSize({ type: "name", host: "", port: 1 }), RangeError);
});

test("every target survives the wire, and each of its prefixes asks for more", () => {
  fc.assert(fc.property(anyTarget, (target) => {
    const message = new Uint8Array(addressSize(target));
    encodeAddress(target, message, 0);
    assertFramed(decode, message, target);
  }));
});

test("garbage is an address, a call for more or a ProtocolError", () => {
  fc.assert(fc.property(almost([[1], [3], [3, 4], [4]], 300), (garbage) => {
    assertTotal(decode, 259, garbage);
    assertStable(decode, garbage.subarray(0, 40));
  }));
});
