import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { ipFromBytes, ipToBytes } from "../../src/net/address.ts";
import { ipBits, maskBits } from "../../src/net/ip_bits.ts";

/** The words of an address by way of its bytes. */
function slow(ip: string) {
  const bytes = ipToBytes(ip);
  const view = new DataView(bytes.buffer);
  const word = (at: number) => at < bytes.length ? view.getUint32(at) : 0;
  return { isV6: bytes.length === 16, a: word(0), b: word(4), c: word(8), d: word(12) };
}

test("addresses become the words of their bytes", () => {
  const ips = ["0.0.0.0", "255.255.255.255", "10.1.2.3", "::", "::1", "1::", "1::8", "1:2:3:4:5:6:7:8", "ffff::ffff"];
  for (const ip of [...ips, "1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "2001:db8:0:1::5"]) {
    assertEquals(ipBits(ip), slow(ip), ip);
  }
  // Many zeros, so that gaps occur.
  const byte = fc.oneof(fc.constant(0), fc.nat(255));
  const address = fc.oneof(
    fc.array(byte, { minLength: 4, maxLength: 4 }),
    fc.array(byte, { minLength: 16, maxLength: 16 }),
  );
  fc.assert(fc.property(address, (bytes) => {
    const ip = ipFromBytes(Uint8Array.from(bytes));
    assertEquals(ipBits(ip), slow(ip), ip);
  }));
});

test("masks have their ones in front", () => {
  const full = 0xffffffff;
  assertEquals(maskBits(0, false), { isV6: false, a: 0, b: 0, c: 0, d: 0 });
  assertEquals(maskBits(1, false).a, 0x80000000);
  assertEquals(maskBits(32, false), { isV6: false, a: full, b: 0, c: 0, d: 0 });
  assertEquals(maskBits(33, true), { isV6: true, a: full, b: 0x80000000, c: 0, d: 0 });
  assertEquals(maskBits(128, true), { isV6: true, a: full, b: full, c: full, d: full });
});
