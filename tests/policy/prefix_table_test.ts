import { assertEquals } from "@std/assert";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { test } from "node:test";
import { ipFromBytes } from "../../src/net/address.ts";
import { type Cidr, formatCidr, parseCidr } from "../../src/net/cidr.ts";
import { ipBits } from "../../src/net/ip_bits.ts";
import { PrefixTable } from "../../src/policy/prefix_table.ts";

/** Few values, so that addresses and blocks meet. */
const byte = fc.constantFrom(0, 1, 127, 128, 255);
const address = fc.oneof(
  fc.array(byte, { minLength: 4, maxLength: 4 }),
  fc.array(byte, { minLength: 16, maxLength: 16 }),
)
  .map((bytes) => ipFromBytes(Uint8Array.from(bytes)));
const block = fc.tuple(address, fc.nat(128)).map(([ip, length]): Cidr => {
  const text = `${ip}/${Math.min(length, ip.includes(":") ? 128 : 32)}`;
  const isV6 = ip.includes(":");
  const network = isV6
    ? ipaddr.IPv6.networkAddressFromCIDR(text).toRFC5952String()
    : ipaddr.IPv4.networkAddressFromCIDR(text).toString();
  return { ip: network, bits: Number(text.split("/")[1]) };
});

test("an address is found in every block that holds it, and in no other", () => {
  fc.assert(
    fc.property(fc.array(block, { maxLength: 30 }), address, (blocks, ip) => {
      const table = new PrefixTable<string>();
      for (const block of blocks) table.at(block, () => formatCidr(block));
      const found: string[] = [];
      table.collect(ipBits(ip), found);
      const holds = ({ ip: network, bits }: Cidr) =>
        network.includes(":") === ip.includes(":") &&
        ipaddr.parse(ip).match([ipaddr.parse(network), bits] as never);
      const expected = [...new Set(blocks.filter(holds).map(formatCidr))];
      assertEquals(found.toSorted(), expected.sort());
      assertEquals(table.has(ipBits(ip)), expected.length > 0);
    }),
    { numRuns: 500 },
  );
});

test("a block has one value, made when it is first asked for", () => {
  const table = new PrefixTable<number[]>();
  table.at(parseCidr("10.0.0.0/8"), () => []).push(1);
  table.at(parseCidr("10.0.0.0/8"), () => []).push(2);
  assertEquals(table.at(parseCidr("10.0.0.0/8"), () => []), [1, 2]);
  assertEquals(table.at(parseCidr("10.0.0.0/9"), () => []), []);
});
