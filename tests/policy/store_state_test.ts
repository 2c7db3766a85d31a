import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { open } from "node:fs/promises";
import { reasonOf } from "../../src/policy/store_state.ts";

test("an error is told by its message, or by its name", () => {
  assertEquals(reasonOf(new Error("connect ECONNREFUSED 127.0.0.1:6379")), "connect ECONNREFUSED 127.0.0.1:6379");
  assertEquals(reasonOf(new TypeError("")), "TypeError");
  assertEquals(reasonOf("text"), "text");
});

test("of several errors the first is told", () => {
  assertEquals(reasonOf(new AggregateError([new Error("first"), new Error("second")])), "first");
  assertEquals(reasonOf(new AggregateError([new Error("first")], "all of them")), "all of them");
});

test("of a file the reason is told, without the call", async () => {
  const error = await open("/nowhere/at/all").then(() => undefined, (error: unknown) => error);
  assertEquals(reasonOf(error), "ENOENT: no such file or directory");
});
