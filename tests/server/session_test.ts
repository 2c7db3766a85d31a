import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { house } from "./_harness.ts";

test("what is waited for after a rule that took its time can be given up, too", async () => {
  await using running = await house({
    rules: { request: () => Promise.resolve(undefined) },
    resolve: () => new Promise(() => {}),
    timeouts: { lookup: 40 },
  });
  const client = running.client();
  await client.send([5, 1, 0], [5, 1, 0, 3, 1, 97, 0, 80]);
  await client.expect("05 00 05 06 00 01 00 00 00 00 00 00");
  assertEquals((await running.seen.summary()).cause, "refused");
});
