import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { outgoingAdvice } from "../../src/cli/outgoing_advice.ts";

test("an address that nothing can leave from is told, and no other", () => {
  const own = ["127.0.0.1", "::1", "192.0.2.7", "2001:db8::7"];
  assertEquals(outgoingAdvice(["192.0.2.7", "127.0.0.9", "2001:db8::7"], own), []);
  assertEquals(outgoingAdvice(["203.0.113.20", "192.0.2.7", "2001:db8::8"], own), [
    'outgoing.addresses: found "203.0.113.20", which is no address of this machine now: nothing can leave from it',
    'outgoing.addresses: found "2001:db8::8", which is no address of this machine now: nothing can leave from it',
  ]);
});
