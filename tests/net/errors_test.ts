import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import { NetError, netErrorCode } from "../../src/net/errors.ts";

test("an error has a name, a code, a message and its cause", () => {
  const cause = new Error("ECONNREFUSED");
  const error = new NetError("refused", "Cannot connect", { cause });
  assert(error instanceof Error);
  assertEquals([error.name, error.code, error.message, error.cause], ["NetError", "refused", "Cannot connect", cause]);
  assertEquals("cause" in new NetError("refused", "Cannot connect"), false);
});

test("any thrown value has a code", () => {
  assertEquals(netErrorCode(new NetError("timeout", "late")), "timeout");
  for (const thrown of [new Error("x"), "x", null, undefined, { code: "timeout" }]) {
    assertEquals(netErrorCode(thrown), "unknown");
  }
});
