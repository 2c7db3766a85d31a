import { assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { NetError } from "../../src/net/errors.ts";
import { fixedAddresses } from "../../src/server/fixed_names.ts";

test("localhost is this machine, and so is what ends in it", () => {
  assertEquals(fixedAddresses("localhost"), ["127.0.0.1", "::1"]);
  assertEquals(fixedAddresses("app.localhost"), ["127.0.0.1", "::1"]);
  assertEquals(fixedAddresses("localhost.example"), undefined);
  assertEquals(fixedAddresses("notlocalhost"), undefined);
});

test("an address is itself", () => {
  assertEquals(fixedAddresses("192.0.2.1"), ["192.0.2.1"]);
  assertEquals(fixedAddresses("2130706433"), ["127.0.0.1"]);
  assertEquals(fixedAddresses("2001:db8::1"), ["2001:db8::1"]);
});

test("other names are asked for", () => {
  for (const name of ["example", "www.example.com", "_dmarc.example.com", "xn--bcher-kva.example", "a".repeat(63)]) {
    assertEquals(fixedAddresses(name), undefined);
  }
});

test("nobody is asked for names of Tor, nor for what is no name of DNS", () => {
  const long = Array.from({ length: 64 }, () => "abc").join(".");
  for (const name of ["abc.onion", "a..b", "", ".a", "a b", "a\\.b", "bücher.example", "a".repeat(64), long]) {
    assertEquals(assertThrows(() => fixedAddresses(name), NetError).code, "name-not-found", name);
  }
});
