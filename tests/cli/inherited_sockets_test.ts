import { test } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { takeInheritedSockets } from "../../src/cli/inherited_sockets.ts";

test("sockets are counted from 3 and bear their names", () => {
  const env = { LISTEN_PID: "77", LISTEN_FDS: "3", LISTEN_FDNAMES: "office:unknown:home", HOME: "/" };
  assertEquals(takeInheritedSockets(env, 77), [{ fd: 3, name: "office" }, { fd: 4 }, { fd: 5, name: "home" }]);
  assertEquals(env, { HOME: "/" } as unknown as typeof env);
});

test("names may be missing", () => {
  assertEquals(takeInheritedSockets({ LISTEN_PID: "7", LISTEN_FDS: "2" }, 7), [{ fd: 3 }, { fd: 4 }]);
});

test("sockets of another process are not ours, and not those of our children either", () => {
  const env = { LISTEN_PID: "76", LISTEN_FDS: "1" };
  assertEquals(takeInheritedSockets(env, 77), []);
  assertEquals(Object.keys(env), []);
  assertEquals(takeInheritedSockets({}, 77), []);
  assertEquals(takeInheritedSockets({ LISTEN_FDS: "1" }, 77), []);
});

test("a number of sockets that is none is a mistake", () => {
  for (const LISTEN_FDS of ["", "-1", "x", "1e3", "9999"]) {
    assertThrows(() => takeInheritedSockets({ LISTEN_PID: "7", LISTEN_FDS }, 7), RangeError, "LISTEN_FDS: found");
  }
});
