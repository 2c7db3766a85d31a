import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { formatAddress } from "../../src/net/address.ts";
import { parseEndpoint } from "../../src/net/endpoint.ts";

test("a host, an IP address or a path can be listened on", () => {
  assertEquals(parseEndpoint("127.0.0.1:1080"), { host: "127.0.0.1", port: 1080 });
  assertEquals(parseEndpoint("[::1]:1080"), { host: "::1", port: 1080 });
  assertEquals(parseEndpoint("[2001:DB8:0:0:0:0:0:1]:0"), { host: "2001:db8::1", port: 0 });
  assertEquals(parseEndpoint("localhost:65535"), { host: "localhost", port: 65535 });
  assertEquals(parseEndpoint("0.0.0.0:1"), { host: "0.0.0.0", port: 1 });
  assertEquals(parseEndpoint("[::]:1080"), { host: "::", port: 1080 });
  assertEquals(parseEndpoint("unix:/run/socks.sock"), { path: "/run/socks.sock" });
  assertEquals(parseEndpoint("unix:relative with spaces:and colons"), { path: "relative with spaces:and colons" });
});

test("anything else is refused, and quoted", () => {
  const wrong = [
    ...["", ":", "1080", ":1080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1"],
    ...["127.0.0.1:1 ", " 127.0.0.1:1", "127.0.0.1:1\n", "a b:1", "::1:1080", "[::1]", "[::1]1080", "[::1]:", "[]:1"],
    ...["[::1:1080", "::1]:1080", "[localhost]:1", "[127.0.0.1]x:1", "[::1%lo]:1", "unix:", "unix:a\0b", "a:b:1"],
  ];
  for (const text of wrong) {
    const error = assertThrows(() => parseEndpoint(text), SyntaxError);
    assertStringIncludes(error.message, JSON.stringify(text).slice(1, 5).split("\\")[0]!);
  }
});

test("what is written as an address is read as it was", () => {
  const ip = fc.oneof(fc.ipV4(), fc.constantFrom("::1", "2001:db8::7", "fe80::1"));
  fc.assert(fc.property(ip, fc.integer({ min: 0, max: 65535 }), (ip, port) => {
    assertEquals(parseEndpoint(formatAddress({ ip, port })), { host: ip, port });
  }));
});

test("any text is read or refused with a SyntaxError", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 40 }), (text) => {
    try {
      parseEndpoint(text);
    } catch (error) {
      assertEquals(error instanceof SyntaxError, true);
    }
  }));
});
