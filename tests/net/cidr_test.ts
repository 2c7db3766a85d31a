import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { ipFromBytes } from "../../src/net/address.ts";
import { formatCidr, parseCidr } from "../../src/net/cidr.ts";

test("addresses and blocks are read, in whatever way IPv6 is written", () => {
  const blocks: Record<string, string> = {
    "10.0.0.0/8": "10.0.0.0/8",
    "0.0.0.0/0": "0.0.0.0/0",
    "192.0.2.1": "192.0.2.1",
    "192.0.2.1/32": "192.0.2.1",
    "192.0.2.2/31": "192.0.2.2/31",
    "::/0": "::/0",
    "2001:DB8::/32": "2001:db8::/32",
    "2001:db8:0:0:0:0:0:1": "2001:db8::1",
    "::ffff:10.0.0.0/104": "10.0.0.0/8",
    "::ffff:0:0/96": "0.0.0.0/0",
    "::ffff:10.1.2.3": "10.1.2.3",
  };
  for (const [text, expected] of Object.entries(blocks)) assertEquals(formatCidr(parseCidr(text)), expected, text);
});

test("what is no block is refused, and told what it should be", () => {
  const plain = "expected an IP address, or a block such as 10.0.0.0/8 or 2001:db8::/32";
  const wrong: Record<string, string> = {
    "10.0.0.1/8": 'expected "10.0.0.0/8", if that is meant',
    "10.0.0.129/25": 'expected "10.0.0.128/25", if that is meant',
    "2001:db8::1/32": 'expected "2001:db8::/32", if that is meant',
    "::ffff:10.0.0.1/104": 'expected "10.0.0.0/8", if that is meant',
    "10.1/16": 'expected "10.0.0.1/16", if that is meant',
    "0177.0.0.1": 'expected "127.0.0.1", if that is meant',
    "10.0.0.0/33": "expected 0 to 32 bits after the slash",
    "10.0.0.0/08": "expected 0 to 32 bits after the slash",
    "10.0.0.0/": "expected 0 to 32 bits after the slash",
    "10.0.0.0/-1": "expected 0 to 32 bits after the slash",
    "::/129": "expected 0 to 128 bits after the slash",
    "::ffff:0:0/95": "expected 96 to 128 bits after the slash",
    ...{ "example.com": plain, "": plain, "/8": plain, "10.0.0.0/8/8": plain, "[::1]": plain, "fe80::1%eth0": plain },
    "10.0.0.0/255.0.0.0": "expected 0 to 32 bits after the slash",
  };
  for (const [text, message] of Object.entries(wrong)) {
    assertEquals(assertThrows(() => parseCidr(text), RangeError).message, message, text);
  }
});

test("of any address and length one block holds, and its first address is that block's", () => {
  const address = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  fc.assert(fc.property(address, fc.nat(128), (bytes, length) => {
    const ip = ipFromBytes(bytes);
    const bits = Math.min(length, ip.includes(":") ? 128 : 32);
    try {
      assertEquals(parseCidr(`${ip}/${bits}`), { ip, bits });
    } catch (error) {
      const meant = /expected "(.+)", if/.exec((error as Error).message)?.[1];
      // The first address may be a v4-mapped one of a block that is none.
      if (meant === undefined || meant.includes(".") && ip.includes(":")) return;
      assertEquals(parseCidr(meant).bits, bits);
    }
  }));
});
