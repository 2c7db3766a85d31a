import { test } from "node:test";
import { assertEquals, assertMatch } from "@std/assert";
import { notifier } from "../../src/cli/notify.ts";

test("without a service manager nobody is told", async () => {
  let sent = 0;
  const count = (): Promise<void> => {
    sent++;
    return Promise.resolve();
  };
  await notifier({}, () => {}, count).ready("Serving");
  assertEquals(sent, 0);
});

test("the service manager is told in order, on lines of their own", async () => {
  const sent: (readonly string[])[] = [];
  const env = { NOTIFY_SOCKET: "/run/notify" };
  const { ready, reloading, status, stopping } = notifier(env, () => {}, (variables) => {
    sent.push(variables);
    return Promise.resolve();
  });
  assertEquals(Object.keys(env), []);
  reloading();
  ready("Serving\nREADY=0");
  status("Fine");
  await stopping("Draining", 30_000);
  assertEquals(sent[0]![0], "RELOADING=1");
  assertMatch(sent[0]![1]!, /^MONOTONIC_USEC=\d+$/);
  assertEquals(sent.slice(1), [
    ["READY=1", "STATUS=Serving READY=0"],
    ["STATUS=Fine"],
    ["STOPPING=1", "STATUS=Draining", "EXTEND_TIMEOUT_USEC=35000000"],
  ]);
});

test("a failure is complained of, and nothing else comes of it", async () => {
  const problems: string[] = [];
  const { ready, stopping } = notifier({ NOTIFY_SOCKET: "/run/notify" }, (problem) => problems.push(problem), () => {
    throw new Error("nobody there");
  });
  await ready("Serving");
  await stopping("Draining", Infinity);
  assertEquals(problems, Array(2).fill("Cannot notify the service manager: nobody there"));
});
