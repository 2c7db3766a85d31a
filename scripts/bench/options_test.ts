import { parseOptions } from "./options.ts";
import { assertEquals, assertThrows } from "@std/assert";
import { test } from "node:test";

test("without options everything is measured three times", () => {
  assertEquals(parseOptions([]), {
    rounds: 3,
    seconds: 1.5,
    cases: ["throughput", "connect", "latency", "udp", "idle"],
    servers: undefined,
    idleTunnels: 2000,
    json: false,
    help: false,
  });
});

test("lists are taken apart", () => {
  const { cases, servers } = parseOptions(["--cases", "udp, connect,udp", "--servers=bun,ssh"]);
  assertEquals(cases, ["udp", "connect"]);
  assertEquals(servers, ["bun", "ssh"]);
});

test("what is not understood is told", () => {
  assertThrows(() => parseOptions(["--cases", "speed"]), TypeError, 'Cannot take --cases "speed"');
  assertThrows(() => parseOptions(["--servers", "squid"]), TypeError, 'Cannot take --servers "squid"');
  assertThrows(() => parseOptions(["--rounds", "0"]), TypeError, 'Cannot take --rounds "0"');
  assertThrows(() => parseOptions(["--seconds", "x"]), TypeError, 'Cannot take --seconds "x"');
  assertThrows(() => parseOptions(["--fast"]), TypeError, "--fast");
});
