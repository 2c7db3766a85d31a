import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "node:test";
import { fileCounters, type FileCountersOptions } from "../../src/policy/file_counters.ts";

/** Files in memory that can be made to fail, and a clock that goes when it is told to. */
function world() {
  const files = new Map<string, string>();
  const states: string[] = [];
  let writes = 0, timer: (() => void) | undefined, problem: string | undefined, now = 1_000_000;
  const options: FileCountersOptions = {
    files: {
      read: (path) => Promise.resolve(files.get(path)),
      write: (path, text) => {
        if (problem !== undefined) return Promise.reject(new Error(problem));
        writes++;
        files.set(path, text);
        return Promise.resolve();
      },
    },
    now: () => now,
    later: (callback) => {
      assert(timer === undefined, "two timers");
      timer = callback;
      return () => timer = undefined;
    },
    onState: (state, reason) => states.push(`${state}: ${reason}`),
  };
  const tick = async () => {
    const callback = timer;
    timer = undefined;
    callback?.();
    for (let i = 0; i < 20; i++) await Promise.resolve(); // the write, and what comes after it
  };
  return {
    files,
    states,
    options,
    tick,
    writes: () => writes,
    isWaiting: () => timer !== undefined,
    fail: (message?: string) => problem = message,
    pass: (ms: number) => now += ms,
  };
}

const LATER = 1_000_000 + 86_400_000;

test("counts survive a restart, until they are over", async () => {
  const { options, pass } = world();
  const first = await fileCounters("counts.json", options);
  first.add("office:ada:day", 700, LATER);
  first.hit("office:ada:new", { count: 1, per: 3_600_000 });
  await first.close();

  const second = await fileCounters("counts.json", options);
  assertEquals(second.get("office:ada:day"), 700);
  assertEquals(second.hit("office:ada:new", { count: 1, per: 3_600_000 }), false);
  assertEquals(second.add("office:ada:day", 50, LATER), 750);
  await second.close();

  pass(86_400_000);
  const third = await fileCounters("counts.json", options);
  assertEquals(third.get("office:ada:day"), 0);
});

test("changes are saved together, a while after the first", async () => {
  const { options, tick, writes, files, isWaiting } = world();
  const counters = await fileCounters("counts.json", options);
  assertEquals([writes(), isWaiting()], [1, false]);
  for (let i = 0; i < 100; i++) counters.add("office:ada:day", 1, LATER);
  assertEquals([writes(), isWaiting()], [1, true]);
  await tick();
  assertEquals([writes(), isWaiting()], [2, false]);
  assert(files.get("counts.json")!.includes('["office:ada:day",100,'));
  counters.delete("office:ada:day");
  await tick();
  assert(!files.get("counts.json")!.includes("office"));
});

test("what changes nothing, or is over before it could be read again, is not saved", async () => {
  const { options, isWaiting } = world();
  const counters = await fileCounters("counts.json", options);
  counters.get("office:ada:day");
  counters.add("office:ada:day", 0, LATER);
  counters.delete("office:ada:day");
  counters.hit("office:ada:new", { count: 10, per: 1000 });
  assertEquals(isWaiting(), false);
});

test("a file that does not hold counts is refused and left as it is", async () => {
  const { options, files } = world();
  files.set("counts.json", '{"format":"socks-counts-1","counts":[["a",');
  const error = await assertRejects(() => fileCounters("counts.json", options), Error);
  assertEquals(
    error.message,
    'Cannot read counts from "counts.json": found 42 characters that are not JSON, ' +
      'expected {"format":"socks-counts-1","counts":[["KEY",COUNT,TIME],…]}',
  );
  assertEquals(files.get("counts.json"), '{"format":"socks-counts-1","counts":[["a",');
});

test("a file that cannot be written is told at the start", async () => {
  const { options, fail } = world();
  fail("EROFS: read-only file system");
  const error = await assertRejects(() => fileCounters("counts.json", options), Error);
  assertEquals(error.message, 'Cannot write counts to "counts.json": EROFS: read-only file system');
});

test("a disk that is full is told once, tried again, and told when it works again", async () => {
  const { options, fail, tick, states, files } = world();
  const counters = await fileCounters("counts.json", options);
  fail("ENOSPC: no space left on device");
  counters.add("office:ada:day", 1, LATER);
  await tick();
  await tick();
  await tick();
  assertEquals(states, ['away: Cannot write counts to "counts.json": ENOSPC: no space left on device']);
  fail();
  await tick();
  assertEquals(states.slice(1), ['back: "counts.json" is written again']);
  assert(files.get("counts.json")!.includes("office:ada:day"));
});

test("closing saves once, and says if it cannot", async () => {
  const { options, fail, writes, isWaiting } = world();
  const counters = await fileCounters("counts.json", options);
  counters.add("office:ada:day", 1, LATER);
  await Promise.all([counters.close(), counters.close()]);
  assertEquals([writes(), isWaiting()], [2, false]);
  await counters.close();
  assertEquals(writes(), 2);

  const other = await fileCounters("counts.json", options);
  other.add("office:ada:day", 1, LATER);
  fail("EIO: i/o error");
  await assertRejects(() => other.close(), Error, "EIO");
});
