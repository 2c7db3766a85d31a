import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { ipFromBytes } from "../../src/net/address.ts";
import { ipBits } from "../../src/net/ip_bits.ts";
import { classifyIp, embeddedIpv4 } from "../../src/net/ip_class.ts";
import { parseAddressItem } from "../../src/policy/address_item.ts";
import { AddressMatcher } from "../../src/policy/address_matcher.ts";
import { parseDestination } from "../../src/policy/destination_item.ts";
import { parseNamePattern } from "../../src/policy/name_pattern.ts";
import { parsePorts, PortSet } from "../../src/policy/port_set.ts";

const matcher = (...items: string[]) => new AddressMatcher(items.map(parseAddressItem));

test("the named kinds of addresses are those of the safe defaults", () => {
  const sets = {
    "private": matcher("private"),
    "link-local": matcher("link-local"),
    "multicast": matcher("multicast"),
  };
  const loopback = matcher("loopback");
  const near = [[127], [0], [10], [172, 16], [192, 168], [100, 64], [169, 254], [224], [255, 255, 255, 255]];
  const near6 = [[0xfc], [0xfe, 0x80], [0xfe, 0xc0], [0xff], [0, 0x64, 0xff, 0x9b, 0, 1], Array(15).fill(0)];
  const start = fc.oneof(fc.constantFrom(...near), fc.constantFrom(...near6), fc.constant([]));
  const address = fc.tuple(start, fc.boolean(), fc.uint8Array({ minLength: 16, maxLength: 16 })).map(
    ([start, isV6, rest]) =>
      ipFromBytes(Uint8Array.from([...start, ...rest].slice(0, isV6 || start.length > 4 ? 16 : 4))),
  );
  fc.assert(
    fc.property(address, (ip) => {
      const inner = embeddedIpv4(ip) ?? ip;
      const kind = classifyIp(ip);
      for (const [name, set] of Object.entries(sets)) {
        assertEquals(set.has(ipBits(inner)), kind === name, `${ip} ${name}`);
      }
      assertEquals(loopback.has(ipBits(inner)), kind === "loopback" || kind === "unspecified", ip);
    }),
    { numRuns: 2000 },
  );
});

test("where clouds keep secrets is metadata, and its neighbours are not", () => {
  const metadata = matcher("Metadata");
  for (const ip of ["169.254.169.254", "169.254.170.2", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"]) {
    assert(metadata.has(ipBits(ip)), ip);
  }
  for (const ip of ["169.254.169.253", "168.63.129.17", "fd00:ec2::253"]) assert(!metadata.has(ipBits(ip)), ip);
});

test("any is everything, and narrows nothing", () => {
  assertEquals([matcher("any").isAll, matcher("0.0.0.0/0").isAll, matcher("0.0.0.0/0", "::/0").isAll], [
    true,
    false,
    true,
  ]);
  assertEquals([matcher("0.0.0.0/0").has(ipBits("1.2.3.4")), matcher("0.0.0.0/0").has(ipBits("::1"))], [true, false]);
  assertEquals(matcher("any", "10.0.0.0/8").names(ipBits("10.1.1.1")), true);
  assertEquals(matcher("any", "10.0.0.0/8").names(ipBits("11.1.1.1")), false);
});

test("names match as they are written", () => {
  const matches: Record<string, readonly [readonly string[], readonly string[]]> = {
    "example.com": [["example.com"], ["a.example.com", "example.com.au", "xexample.com"]],
    "Example.COM.": [["example.com"], []],
    ".example.com": [["example.com", "a.example.com", "b.a.example.com"], ["xexample.com", "com", ""]],
    "*.example.com": [["a.example.com", "b.a.example.com", ".example.com"], ["example.com"]],
    "*.cdn.example.*": [["a.cdn.example.net", "a.b.cdn.example.co.uk"], ["cdn.example.net", "a.cdn.example"]],
    "a*b*c": [["abc", "axbxc", "abbc"], ["acb", "ab", "abcd"]],
    "ab*ba": [["abba", "abxba"], ["aba"]],
    "*": [["example.com", "x", ""], []],
    "bücher.example": [["xn--bcher-kva.example"], ["bucher.example"]],
    "*.bücher.example": [["a.xn--bcher-kva.example"], []],
    "my_host": [["my_host"], ["my-host"]],
    "/^ads?\\d*\\./": [["ad.x", "ADS12.x"], ["bads.x", "adsx.x"]],
    "/a|b$/i": [["xax", "xb"], ["xbx"]],
  };
  for (const [item, [yes, no]] of Object.entries(matches)) {
    const pattern = parseNamePattern(item);
    for (const name of yes) assert(pattern.matches(name), `${item} and ${name}`);
    for (const name of no) assert(!pattern.matches(name), `${item} and ${name}`);
  }
});

test("a glob matches what the same regular expression does", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "*", "."), minLength: 1, maxLength: 8 })
    .filter((text) => text.includes("*") && !/\.\.|\.$|^\./.test(text));
  const name = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 12 });
  fc.assert(fc.property(text, name, (text, name) => {
    const expression = new RegExp(`^${text.replaceAll(".", "\\.").replaceAll("*", ".*")}$`);
    assertEquals(parseNamePattern(text).matches(name), expression.test(name));
  }));
});

test("what stands in to is told apart", () => {
  const kinds: Record<string, string> = {
    ...{ "private": "address", "10.0.0.0/8": "address", "::1": "address", "1.2.3.4": "address", "ANY": "address" },
    ...{ "localhost": "name", "x.private": "name", "/^10\\./": "name", "1e100.net": "name", "3com": "name" },
  };
  for (const [item, kind] of Object.entries(kinds)) assertEquals(parseDestination(item).kind, kind, item);
});

const NAME = 'a name such as "example.com", ".example.com", "*.cdn.example.*" or "/^ads?\\d*\\./"';
const BLOCK = "an IP address, or a block such as 10.0.0.0/8 or 2001:db8::/32";

test("a wrong destination is refused, and told what it should be", () => {
  const wrong: Record<string, string> = {
    "10.0.0.1/8": '"10.0.0.0/8", if that is meant',
    "10.0.0.*": "a block such as 10.0.0.0/24",
    "link_local": '"link-local"',
    "example.com:443": "no port here: those are listed in ports",
    "1.2.3.4:443": "no port here: those are listed in ports",
    "[::1]:443": "no port here: those are listed in ports",
    "999.1.1.1": BLOCK,
    "http://example.com/": BLOCK,
    ...{ "": NAME, ".": NAME, "a..b": NAME, "a b": NAME, "a,b": NAME, "~.ä": NAME, "ä@b": NAME },
    "bü*r.example": "ASCII alone around *",
    "/x": "a regular expression between two slashes",
    "/(/": "a regular expression that JavaScript can read",
    "/ä/": "ASCII: names are compared in their ASCII form (xn--…)",
  };
  for (const [item, expected] of Object.entries(wrong)) {
    assertEquals(
      assertThrows(() => parseDestination(item), RangeError).message,
      `found "${item}", expected ${expected}`,
    );
  }
});

test("a wrong source is refused, and what would hide or fill a terminal is not repeated", () => {
  const expected = "expected an IP address, a block such as 10.0.0.0/8, " +
    "or one of loopback, private, link-local, metadata, multicast, any";
  const message = (item: string) => assertThrows(() => parseAddressItem(item), RangeError).message;
  assertEquals(message("example.com"), `found "example.com", ${expected}`);
  assertEquals(message("a\u001b\u202eb"), `found "a\\u{1b}\\u{202e}b", ${expected}`);
  assertEquals(message("x".repeat(99)), `found "${"x".repeat(60)}…", ${expected}`);
  assertEquals(assertThrows(() => parseAddressItem(7 as never), RangeError).message, "found 7, expected text");
});

test("ports are numbers, texts and ranges", () => {
  const set = new PortSet([443, "8000-8999", "80", "9000-9001", 81].map(parsePorts));
  assertEquals(set.spans, [{ from: 80, to: 81 }, { from: 443, to: 443 }, { from: 8000, to: 9001 }]);
  for (const port of [80, 81, 443, 8000, 8500, 9001]) assert(set.has(port), `${port}`);
  for (const port of [0, 79, 82, 442, 444, 7999, 9002, 65535]) assert(!set.has(port), `${port}`);
  assertEquals([set.size, set.isAll, new PortSet(["1-65535", 0].map(parsePorts)).isAll], [1005, false, true]);
});

test("wrong ports are refused, and told what they should be", () => {
  const plain = "a port from 0 to 65535, or a range such as 8000-8999";
  for (const item of [65536, -1, 1.5, NaN, "", "http", "80:90", "1-2-3", "80 ", "1-70000"]) {
    const found = typeof item === "string" ? `"${item}"` : item;
    assertEquals(assertThrows(() => parsePorts(item), RangeError).message, `found ${found}, expected ${plain}`);
  }
  assertEquals(
    assertThrows(() => parsePorts("9-8"), RangeError).message,
    'found "9-8", expected "8-9", if that is meant',
  );
});
