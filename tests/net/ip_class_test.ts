import { assertEquals } from "@std/assert";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { test } from "node:test";
import { ipFromBytes, parseIp } from "../../src/net/address.ts";
import { classifyIp, embeddedIpv4, type IpClass } from "../../src/net/ip_class.ts";

const CLASSES: Record<IpClass, readonly string[]> = {
  "loopback": ["127.0.0.1", "127.0.0.0", "127.255.255.255", "::1"],
  "private": [
    ...["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"],
    ...["100.64.0.0", "100.127.255.255", "fc00::", "fdff:ffff::1", "fec0::1", "feff::1"],
  ],
  "link-local": ["169.254.0.0", "169.254.169.254", "169.254.255.255", "fe80::1", "febf::1"],
  "multicast": ["224.0.0.1", "239.255.255.255", "ff00::", "ff02::1", "ffff::1"],
  "broadcast": ["255.255.255.255"],
  "unspecified": ["0.0.0.0", "0.0.0.1", "0.255.255.255", "::"],
  "global": [
    ...["1.1.1.1", "9.255.255.255", "11.0.0.0", "126.255.255.255", "128.0.0.0", "100.63.255.255", "100.128.0.0"],
    ...["169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0"],
    ...["223.255.255.255", "2606:4700::1111", "2a00::1", "fbff::1", "fe00::1", "::2:0:0:0"],
  ],
};

test("each range begins and ends where its RFC says", () => {
  for (const [kind, ips] of Object.entries(CLASSES)) {
    for (const ip of ips) assertEquals(classifyIp(ip), kind as IpClass, ip);
  }
});

/** The ways to write an IPv4 address as an IPv6 one that leads there. */
const CARRIERS: Record<string, (bytes: readonly number[]) => readonly number[]> = {
  "v4-mapped": (ip) => [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...ip],
  "NAT64": (ip) => [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, ...ip],
  "v4-translated": (ip) => [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, ...ip],
  "6to4": (ip) => [0x20, 0x02, ...ip, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
};

for (const [name, carry] of Object.entries(CARRIERS)) {
  test(`a ${name} address is what the IPv4 address within it is`, () => {
    for (const [kind, ips] of Object.entries(CLASSES)) {
      for (const ip of ips.filter((ip) => ip.includes("."))) {
        const carried = ipFromBytes(Uint8Array.from(carry(ip.split(".").map(Number))));
        assertEquals(classifyIp(carried), kind as IpClass, `${carried} holds ${ip}`);
      }
    }
  });
}

test("a local NAT64 address is private: where the IPv4 address stands in it is its operator's secret", () => {
  assertEquals(classifyIp("64:ff9b:1::808:808"), "private");
  assertEquals(classifyIp("64:ff9b:1:a00:0:100:808:808"), "private");
});

test("a v4-compatible address is what the IPv4 address within it is", () => {
  assertEquals(classifyIp("::7f00:1"), "loopback");
  assertEquals(classifyIp(parseIp("::10.0.0.1")!), "private");
  assertEquals(classifyIp(parseIp("::93.184.216.34")!), "global");
  assertEquals([embeddedIpv4("::"), embeddedIpv4("::1")], [undefined, undefined]);
});

test("the IPv4 address within is found, and nothing where there is none", () => {
  assertEquals(embeddedIpv4("64:ff9b::c000:201"), "192.0.2.1");
  assertEquals(embeddedIpv4("2002:c000:201::1"), "192.0.2.1");
  assertEquals(embeddedIpv4("2002:c000:201:ffff:ffff:ffff:ffff:ffff"), "192.0.2.1");
  for (const ip of ["192.0.2.1", "2001:db8::c000:201", "fe80::c000:201", "2003:c000:201::", "65:ff9b::c000:201"]) {
    assertEquals(embeddedIpv4(ip), undefined, ip);
  }
});

test("every address has a class, the same as ipaddr.js gives where it has one", () => {
  const NAMES: Record<string, IpClass> = {
    loopback: "loopback",
    private: "private",
    uniqueLocal: "private",
    carrierGradeNat: "private",
    linkLocal: "link-local",
    multicast: "multicast",
    broadcast: "broadcast",
    unspecified: "unspecified",
  };
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
    fc.tuple(fc.constantFrom(0xfc, 0xfd, 0xfe, 0xff), fc.uint8Array({ minLength: 15, maxLength: 15 }))
      .map(([first, rest]) => Uint8Array.of(first, ...rest)),
  );
  fc.assert(fc.property(bytes, (bytes) => {
    const ip = ipFromBytes(bytes);
    if (embeddedIpv4(ip) !== undefined) return;
    const expected = NAMES[ipaddr.parse(ip).range()];
    if (expected !== undefined) assertEquals(classifyIp(ip), expected, ip);
  }));
});
