import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { isIP } from "node:net";
import { test } from "node:test";
import {
  canonicalIp,
  formatAddress,
  formatHostPort,
  ipFromBytes,
  ipToBytes,
  ipVersion,
  isUnixAddress,
  parseIp,
} from "../../src/net/address.ts";

const v4Bytes = fc.uint8Array({ minLength: 4, maxLength: 4 });
/** Half of the bytes are zero, for the sake of `::`. */
const v6Bytes = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })), { minLength: 16, maxLength: 16 })
  .map((bytes) => Uint8Array.from(bytes));
const isMapped = (bytes: Uint8Array) =>
  bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 255 && bytes[11] === 255;

/** The number that four or sixteen bytes are, by long division of the text: an oracle without a library. */
function expand(ip: string): number[] {
  if (!ip.includes(":")) return ip.split(".").map(Number);
  const [head, tail] = ip.split("::") as [string, string | undefined];
  const groups = (text: string) => text === "" ? [] : text.split(":").map((group) => parseInt(group, 16));
  const [left, right] = [groups(head), tail === undefined ? [] : groups(tail)];
  const words = tail === undefined ? left : [...left, ...new Array(8 - left.length - right.length).fill(0), ...right];
  return words.flatMap((word) => [word >> 8, word & 255]);
}

test("bytes become canonical text, and the text those bytes", () => {
  fc.assert(fc.property(fc.oneof(v4Bytes, v6Bytes), (bytes) => {
    const ip = ipFromBytes(bytes);
    const expected = bytes.length === 16 && isMapped(bytes) ? bytes.slice(12) : bytes;
    assertEquals(isIP(ip), expected.length === 4 ? 4 : 6, ip);
    assertEquals(ipVersion(ip), expected.length === 4 ? 4 : 6);
    assertEquals(expand(ip), Array.from(expected), ip);
    assertEquals(ipToBytes(ip), expected, ip);
    assertEquals(parseIp(ip), ip);
    assertEquals(canonicalIp(ip), ip);
  }));
});

test("IPv6 is written as RFC 5952 says", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:0db8::0001", "2001:db8::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:DB8:AA::BB", "2001:db8:aa::bb"],
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
  ];
  for (const [written, canonical] of cases) assertEquals(parseIp(written), canonical);
});

test("what the system takes for IPv6 is an address, however it is written", () => {
  fc.assert(fc.property(fc.ipV6(), (text) => {
    const ip = parseIp(text);
    assert(ip !== undefined, text);
    assertEquals(ipaddr.process(text).toByteArray(), Array.from(ipToBytes(ip)), text);
    assertEquals(parseIp(`[${text}]`), ip);
    assertEquals(parseIp(text.toUpperCase()), ip);
  }));
});

test("every way to write IPv4 that a resolver takes is that address", () => {
  const base = (value: number, how: number) =>
    how === 0 ? String(value) : how === 1 ? `0${value.toString(8)}` : `0x${value.toString(16)}`;
  const hows = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 4, maxLength: 4 });
  fc.assert(fc.property(v4Bytes, fc.integer({ min: 1, max: 4 }), hows, (bytes, count, how) => {
    // a, a.b, a.b.c or a.b.c.d: the last part holds all bytes that are left.
    const parts = Array.from(bytes.slice(0, count - 1));
    parts.push(bytes.slice(count - 1).reduce((sum, byte) => sum * 256 + byte, 0));
    const text = parts.map((part, i) => base(part, how[i]!)).join(".");
    assertEquals(parseIp(text), Array.from(bytes).join("."), text);
  }));
});

test("what is no address is none", () => {
  const none = [
    ...["", " ", ".", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.256", "4294967296", "-1", "+1"],
    ...["1.2.3.4 ", " 1.2.3.4", "1.2.3.4\n", "1,2,3,4", "0x", "0xg", "08", "1.08.1.1", "1e3", "１.2.3.4", "a.b.c.d"],
    ...[":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::1", "::1%eth0", "fe80::1%1"],
    ...["[::1", "::1]", "[1.2.3.4]", "[]", "[[::1]]", "::ffff:1.2.3", "::ffff:256.1.1.1", "localhost", "example.com"],
  ];
  for (const text of none) assertEquals(parseIp(text), undefined, JSON.stringify(text));
});

test("any text is an address that its bytes bear out, or none, and never a throw", () => {
  const digits = fc.string({ unit: fc.constantFrom(..."0123456789abcdefx.:[]%"), maxLength: 45 });
  fc.assert(fc.property(fc.oneof(digits, fc.string({ unit: "binary", maxLength: 45 })), (text) => {
    const ip = parseIp(text);
    if (ip === undefined) return assert(isIP(text) === 0 || text.includes("%"), `${text} is an address`);
    assert(isIP(ip) !== 0, `${text} became ${ip}`);
    assertEquals(parseIp(ip), ip);
    assertEquals(ipFromBytes(ipToBytes(ip)), ip);
  }));
});

test("a v4-mapped address is its IPv4 address, in any writing", () => {
  for (const text of ["::ffff:127.0.0.1", "::FFFF:7F00:1", "0:0:0:0:0:ffff:127.0.0.1", "[::ffff:127.0.0.1]"]) {
    assertEquals(parseIp(text), "127.0.0.1", text);
  }
});

test("what a runtime reports loses its zone and its mapping", () => {
  assertEquals(canonicalIp("fe80::1%eth0"), "fe80::1");
  assertEquals(canonicalIp("::ffff:192.0.2.1"), "192.0.2.1");
  assertEquals(canonicalIp("0:0:0:0:0:0:0:1"), "::1");
  assertEquals(canonicalIp("192.0.2.1"), "192.0.2.1");
});

test("addresses are written with brackets where they need them", () => {
  assertEquals(formatAddress({ ip: "192.0.2.1", port: 80 }), "192.0.2.1:80");
  assertEquals(formatAddress({ ip: "2001:db8::1", port: 80 }), "[2001:db8::1]:80");
  assertEquals(formatAddress({ path: "/run/socks" }), "unix:/run/socks");
  assertEquals(formatHostPort("example.com", 443), "example.com:443");
  assertEquals([isUnixAddress({ path: "x" }), isUnixAddress({ ip: "::1", port: 1 })], [true, false]);
});
