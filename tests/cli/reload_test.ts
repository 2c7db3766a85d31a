import { test } from "node:test";
import { assertEquals, assertMatch } from "@std/assert";
import { Reloader, reloadProblems } from "../../src/cli/reload.ts";
import { ConfigError } from "../../src/config/config_error.ts";
import { NetError } from "../../src/net/errors.ts";

/** A reloader whose reloads end when the test says so, and what it told. */
function reloader() {
  const told: string[] = [];
  const waiting: ((error?: Error) => void)[] = [];
  const subject = new Reloader({
    reload: () =>
      new Promise((resolve, reject) => {
        waiting.push((error) => error === undefined ? resolve() : reject(error));
      }),
    started: () => told.push("started"),
    succeeded: () => told.push("succeeded"),
    failed: (problems) => told.push(...problems),
  });
  return { subject, told, end: (error?: Error) => waiting.shift()!(error), running: () => waiting.length };
}

test("a reload is told when it begins and how it ended", async () => {
  const { subject, told, end } = reloader();
  const done = subject.request();
  end();
  await done;
  const again = subject.request();
  end(new ConfigError(["one", "two"]));
  await again;
  assertEquals(told, ["started", "succeeded", "started", "one", "two"]);
});

test("whoever asks while one runs gets one more, however many they are", async () => {
  const { subject, told, end, running } = reloader();
  const done = subject.request();
  for (let asked = 0; asked < 3; asked++) subject.request();
  assertEquals(running(), 1);
  end();
  while (running() === 0) await Promise.resolve();
  end();
  await done;
  assertEquals([told.length, running()], [4, 0]);
});

test("every problem is a line, and a fault of ours has its stack", () => {
  assertEquals(reloadProblems(new ConfigError(["a.yaml:1: x", "--open: y"])), ["a.yaml:1: x", "--open: y"]);
  assertMatch(
    reloadProblems(new NetError("address-in-use", 'Cannot listen on "127.0.0.1:80": address already in use'))[0]!,
    /^Cannot listen on "127\.0\.0\.1:80": address already in use Another program/,
  );
  assertEquals(reloadProblems(new RangeError("bad \x1b[2J")), ["bad \\x1b[2J"]);
  assertEquals(reloadProblems(new TypeError('Cannot listen on "0.0.0.0:1" without users')).length, 1);
  assertMatch(reloadProblems(new TypeError("x is not a function"))[0]!, /reload_test/);
});
