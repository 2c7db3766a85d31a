import { test } from "node:test";
import { assertEquals } from "@std/assert";
import { nearest } from "../../src/config/nearest.ts";
import { SETTINGS } from "../../src/config/schema.ts";

test("the nearest setting is found in spite of slips", () => {
  const cases: Record<string, string> = {
    idleTimeOut: "idleTimeout",
    "idle-timeout": "idleTimeout",
    idle_timeout: "idleTimeout",
    lisen: "listen",
    lsiten: "listen",
    user: "users",
    usres: "users",
    udpPort: "udpPorts",
    allow: "allowPrivate",
    loglevel: "logLevel",
    opne: "open",
  };
  for (const [written, meant] of Object.entries(cases)) assertEquals(nearest(written, SETTINGS), meant, written);
});

test("what is like nothing gets no suggestion", () => {
  for (const written of ["", "x", "port", "metrics", "é".repeat(1000)]) {
    assertEquals(nearest(written, SETTINGS), undefined, written);
  }
});
