import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { parsePortRange } from "../../src/config/port_range.ts";

test("a port range is FROM-TO, both included", () => {
  assertEquals(parsePortRange("40000-40999"), { from: 40000, to: 40999 });
  assertEquals(parsePortRange("1-65535"), { from: 1, to: 65535 });
  assertEquals(parsePortRange("5000-5000"), { from: 5000, to: 5000 });
});

test("what is not a port range is undefined", () => {
  for (const text of ["", "1", "1-", "-1", "0-10", "10-9", "1-65536", "1 - 2", "1-2-3", "a-b", "1–2", "1e3-2e3"]) {
    assertEquals(parsePortRange(text), undefined, text);
  }
});
