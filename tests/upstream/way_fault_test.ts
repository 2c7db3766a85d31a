import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { NetError } from "../../src/net/errors.ts";
import { blameFor } from "../../src/upstream/way_fault.ts";
import { proxyFailure } from "./_ways.ts";

/** `all`, `one` or `none`: whom the way has failed. */
function failed(error: unknown, isolates = false): string {
  const { isOfWay, isForAll } = blameFor(error, { isolates });
  return isForAll ? "all" : isOfWay ? "one" : "none";
}

test("a proxy that cannot be reached, speaks no TLS or no SOCKS, or takes no login, has failed", () => {
  assertEquals(failed(proxyFailure("dial", "refused")), "all");
  assertEquals(failed(proxyFailure("dial", "name-not-found")), "all");
  assertEquals(failed(proxyFailure("tls", "not-allowed")), "all");
  assertEquals(failed(proxyFailure("greeting", "closed")), "all");
  assertEquals(failed(proxyFailure("authentication", "permission-denied")), "all");
  assertEquals(failed(proxyFailure("request", "reset")), "all");
});

test("a proxy that cannot reach the next one has failed", () => {
  assertEquals(failed(proxyFailure("reply", "refused", { isLast: false, reply: 5 })), "all");
  assertEquals(failed(proxyFailure("request", "name-not-found", { isLast: false })), "all");
});

test("what is said of the target is no fault of the way", () => {
  assertEquals(failed(proxyFailure("reply", "refused", { reply: 5 })), "none");
  assertEquals(failed(proxyFailure("reply", "unknown", { reply: 1 })), "none");
  assertEquals(failed(proxyFailure("request", "name-not-found")), "none");
  assertEquals(failed(new NetError("refused", "it is a test")), "none");
  assertEquals(failed(new NetError("not-allowed", "it is a test")), "none");
});

test("where each session logs in for itself, a refused login is that session's alone", () => {
  assertEquals(failed(proxyFailure("authentication", "permission-denied"), true), "one");
  assertEquals(failed(proxyFailure("authentication", "closed"), true), "all");
});

test("a proxy that leaves in place of an answer may be dying, or say so of a target, as ssh -D does", () => {
  for (const code of ["reset", "closed"] as const) assertEquals(failed(proxyFailure("reply", code)), "one");
  assertEquals(failed(proxyFailure("reply", "timeout")), "none");
});
