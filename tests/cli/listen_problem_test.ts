import { test } from "node:test";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { listenProblem } from "../../src/cli/listen_problem.ts";
import { NetError, type NetErrorCode } from "../../src/net/errors.ts";

test("a failure to listen comes with a way out", () => {
  const cases: [NetErrorCode, string][] = [
    ["address-in-use", "--listen 127.0.0.1:1081"],
    ["permission-denied", "below 1024"],
    ["address-not-available", "0.0.0.0 and [::]"],
    ["name-not-found", "IP address"],
    ["too-many-files", "ulimit -n"],
  ];
  for (const [code, advice] of cases) {
    const [first, second] = listenProblem(new NetError(code, 'Cannot listen on "127.0.0.1:80"')).split("\n");
    assertEquals(first, 'Cannot listen on "127.0.0.1:80"');
    assertStringIncludes(second!, advice);
  }
});

test("a UNIX socket fails for other reasons than a port", () => {
  for (const code of ["permission-denied", "unknown"] as const) {
    assertStringIncludes(
      listenProblem(new NetError(code, 'Cannot listen on "unix:/x/y": …')),
      "The folder of the socket",
    );
  }
});

test("other failures are told as they are, printable", () => {
  assertEquals(listenProblem(new NetError("unknown", "Cannot listen: \x1b[2J")), "Cannot listen: \\x1b[2J");
});
