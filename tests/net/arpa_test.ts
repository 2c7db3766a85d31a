import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { arpaName } from "../../src/net/arpa.ts";

test("an address is written backwards: by its bytes, or by its digits", () => {
  assertEquals(arpaName("192.0.2.7"), "7.2.0.192.in-addr.arpa");
  assertEquals(arpaName("0.0.0.0"), "0.0.0.0.in-addr.arpa");
  assertEquals(arpaName("2001:db8::1"), `1${".0".repeat(23)}.8.b.d.0.1.0.0.2.ip6.arpa`);
  assertEquals(arpaName("::"), `0${".0".repeat(31)}.ip6.arpa`);
});
