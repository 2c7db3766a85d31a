import { assert, assertEquals, assertRejects } from "@std/assert";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeCounters } from "../../src/policy/make_counters.ts";

const LATER = Date.now() + 3_600_000;

test("without a store counts are at hand", async () => {
  for (const store of [undefined, {}, { fail: "closed" as const }]) {
    const counters = await makeCounters(store);
    assertEquals(counters.add("q:ada:day", 5, LATER), 5);
    await counters.close();
  }
});

test("a file keeps them over a restart, and is left alone if it is damaged", async () => {
  const folder = mkdtempSync(join(tmpdir(), "socks-counters-"));
  const file = join(folder, "counts.json");
  try {
    const first = await makeCounters({ file });
    assertEquals(first.add("q:ada:day", 5, LATER), 5);
    await first.close();
    const second = await makeCounters({ file });
    assertEquals(second.add("q:ada:day", 5, LATER), 10);
    await second.close();

    const damaged = readFileSync(file, "utf8").slice(0, -5);
    writeFileSync(file, damaged);
    const { message } = await assertRejects(() => makeCounters({ file }), Error);
    assert(message.startsWith(`Cannot read counts from ${JSON.stringify(file)}: found `), message);
    assertEquals(readFileSync(file, "utf8"), damaged);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the file can be given from outside, where there is no file system", async () => {
  let text: string | undefined;
  const read = () => Promise.resolve(text);
  const write = (_path: string, written: string) => Promise.resolve(void (text = written));
  const counters = await makeCounters({ file: "counts" }, { files: { read, write } });
  counters.add("q:ada:day", 5, LATER);
  await counters.close();
  assert(text?.includes('["q:ada:day",5,'), text);
});

test("two stores are one too many, and the URL of Redis is looked at", async () => {
  const both = await assertRejects(() => makeCounters({ file: "a", redis: "redis://b" }), RangeError);
  assertEquals(both.message, "found a file and Redis, expected one of them");
  await assertRejects(() => makeCounters({ redis: "https://b" }), RangeError, "found https://");
});
