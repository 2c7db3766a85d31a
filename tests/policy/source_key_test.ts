import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { sourceKey } from "../../src/policy/source_key.ts";

test("an IPv4 address is itself, an IPv6 address its /64", () => {
  assertEquals(sourceKey("192.0.2.7"), "192.0.2.7");
  assertEquals(sourceKey("2001:db8:0:1:2:3:4:5"), "2001:db8:0:1::/64");
  assertEquals(sourceKey("2001:db8:0:1::"), sourceKey("2001:db8:0:1:ffff::1"));
  assertEquals(sourceKey("2001:db8::1"), "2001:db8:0:0::/64");
  assertEquals(sourceKey("fe80::1"), "fe80:0:0:0::/64");
  assertEquals(sourceKey("::1"), "0:0:0:0::/64");
});

test("an IPv6 address that stands for an IPv4 address counts as that one", () => {
  assertEquals(sourceKey("64:ff9b::c000:207"), "192.0.2.7");
  assertEquals(sourceKey("2002:c000:207:5::9"), "192.0.2.7");
});
