import { test } from "node:test";
import { assertEquals, assertMatch } from "@std/assert";
import { describeFault } from "../../src/cli/faults.ts";

test("a fault is told with its stack, line by line printable", () => {
  const lines = describeFault(new TypeError("no \x1b[2J here")).split("\n");
  assertMatch(lines[0]!, /TypeError: no \\x1b\[2J here/);
  assertMatch(lines.join("\n"), /faults_test/);
});

test("whatever was thrown can be told", () => {
  assertEquals(describeFault("text\r"), "text\\x0d");
  assertEquals(describeFault(undefined), "undefined");
});
