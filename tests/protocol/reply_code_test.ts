import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { NetError, type NetErrorCode } from "../../src/net/errors.ts";
import { ProtocolError, type ProtocolErrorCode } from "../../src/protocol/decoded.ts";
import { replyCodeOf } from "../../src/protocol/reply_code.ts";

const BY_CODE: Record<NetErrorCode, number> = {
  "refused": 5,
  "unreachable-network": 3,
  "unreachable-host": 4,
  "timeout": 6,
  "reset": 1,
  "closed": 1,
  "aborted": 1,
  "name-not-found": 4,
  "lookup-failed": 4,
  "address-in-use": 1,
  "address-not-available": 1,
  "permission-denied": 1,
  "too-many-files": 1,
  "not-allowed": 2,
  "not-supported": 1,
  "unknown": 1,
};

const BY_FAULT: Record<ProtocolErrorCode, number> = {
  "version": 1,
  "methods": 1,
  "command": 7,
  "address-type": 8,
  "address": 1,
  "port": 1,
  "too-long": 1,
  "reserved": 1,
  "reply": 1,
  "http": 1,
};

test("every code of a network error has its REP", () => {
  for (const [code, reply] of Object.entries(BY_CODE)) {
    assertEquals(replyCodeOf(new NetError(code as NetErrorCode, "")), reply, code);
  }
});

test("every fault of a message has its REP", () => {
  for (const [fault, reply] of Object.entries(BY_FAULT)) {
    assertEquals(replyCodeOf(new ProtocolError(fault as ProtocolErrorCode, "")), reply, fault);
  }
});

test("any other thrown value is a general failure", () => {
  for (const thrown of [new Error("x"), new TypeError("x"), "refused", undefined, null, { code: "refused" }]) {
    assertEquals(replyCodeOf(thrown), 1);
  }
});
