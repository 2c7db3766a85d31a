import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "node:test";
import { NetError } from "../../src/net/errors.ts";
import { loginGuard } from "../../src/policy/login_guard.ts";
import { redisCounters, type RedisCountersOptions } from "../../src/policy/redis_counters.ts";
import { noRedis, PASSWORD, type RedisServer, startRedis } from "./_redis.ts";

const LATER = Date.now() + 3_600_000;
const DEADLINE_MS = 120_000;

/** Counters, and the changes of state they tell. */
async function connect(url: string, options: RedisCountersOptions = {}) {
  const told: string[] = [];
  const waiting = new Set<() => void>();
  const onState = (state: string, reason: string) => {
    told.push(`${state}: ${reason}`);
    for (const look of waiting) look();
  };
  const counters = await redisCounters(url, {
    retryEvery: 50,
    timeout: DEADLINE_MS,
    connectTimeout: DEADLINE_MS,
    ...options,
    onState,
  });
  return {
    counters,
    told,
    /** Waits until it has told so many changes. */
    changes: (count: number) =>
      new Promise<void>((resolve) => {
        const look = () => told.length >= count && resolve();
        waiting.add(look);
        look();
      }),
    [Symbol.asyncDispose]: () => counters.close(),
  };
}

/** Lets timers of one length go at once. */
function hurried(length: number): Disposable {
  const { setTimeout } = globalThis;
  const hurry = (callback: () => void, ms?: number): unknown => setTimeout(callback, ms === length ? 1 : ms);
  globalThis.setTimeout = hurry as typeof setTimeout;
  return { [Symbol.dispose]: () => void (globalThis.setTimeout = setTimeout) };
}

function redisTest(name: string, body: (redis: RedisServer) => Promise<void>): void {
  const options = noRedis === undefined ? { timeout: DEADLINE_MS } : { skip: noRedis };
  test(name, options, async () => {
    await using redis = await startRedis();
    await body(redis);
  });
}

redisTest("two processes share totals, rates and failed logins", async ({ url }) => {
  await using one = await connect(url);
  await using other = await connect(url);
  assertEquals(await one.counters.add("office:ada:day", 700, LATER), 700);
  assertEquals(await other.counters.add("office:ada:day", 50, LATER), 750);
  assertEquals([await one.counters.get("office:ada:day"), await other.counters.get("office:bob:day")], [750, 0]);
  assertEquals(await one.counters.add("office:bob:day", 0, LATER), 0);

  const rate = { count: 3, per: 3_600_000 };
  const hits = await Promise.all([one, other, one, other].map(({ counters }) => counters.hit("office:ada:new", rate)));
  assertEquals(hits.filter(Boolean).length, 3);
  await one.counters.delete("office:ada:new");
  assertEquals(await other.counters.hit("office:ada:new", rate), true);

  const [guard, otherGuard] = [one, other].map(({ counters }) => loginGuard({ attempts: 2 }, counters));
  assertEquals(await guard!.failed("192.0.2.7", "ada"), 0);
  assertEquals(await otherGuard!.failed("192.0.2.7", "ada"), 60_000);
  assertEquals(await guard!.mayTry("192.0.2.7"), "too many failed logins from 192.0.2.7");
  const [strict, otherStrict] = [one, other].map(({ counters }) => loginGuard({ attempts: 3 }, counters));
  const fail = async (user: string) => await strict!.failed("192.0.2.8", user);
  assertEquals([await fail("ada"), await fail("bob")], [0, 0]);
  await otherStrict!.succeeded("192.0.2.8", "ada");
  assertEquals([await fail("bob"), await fail("bob")], [0, 60_000]);
  assertEquals([one.told, other.told], [[], []]);
});

redisTest(
  "a hundred thousand bytes in a thousand pieces from two processes are a hundred thousand",
  async ({ url }) => {
    await using one = await connect(url);
    await using other = await connect(url);
    const pieces = Array.from(
      { length: 1000 },
      (_, i) => (i % 2 ? one : other).counters.add("q:ada:month", 100, LATER),
    );
    assertEquals(Math.max(...await Promise.all(pieces)), 100_000);
    assertEquals(await one.counters.add("q:ada:month", 5_000_000_000_000, LATER), 5_000_000_100_000);
  },
);

redisTest("what is over is forgotten, be it after less than a second", async ({ url }) => {
  await using one = await connect(url);
  const rate = { count: 1, per: 250 };
  assertEquals(await one.counters.hit("q:ada:new", rate), true);
  // Redis has its own clock, so it is asked until the time is over; that is never, if it is taken for no time at all.
  const started = performance.now();
  while (!(await one.counters.hit("q:ada:new", rate))) assert(performance.now() - started < DEADLINE_MS / 2);
  assertEquals(await one.counters.add("q:ada:day", 5, Date.now() - 1), 5);
  while (await one.counters.get("q:ada:day") > 0) assert(performance.now() - started < DEADLINE_MS / 2);
});

redisTest("counts are kept in Redis over its own restart, and the connection is made anew", async (redis) => {
  await using one = await connect(redis.url, { fail: "closed" });
  await one.counters.add("q:ada:day", 700, LATER);
  await redis.kill();
  await one.changes(1);
  await redis.start();
  await one.changes(2);
  assertEquals(await one.counters.get("q:ada:day"), 700);
  assert(one.told[0]!.startsWith("away: Redis at redis://127.0.0.1:"), one.told[0]);
  assert(/^back: Redis at redis:\/\/127\.0\.0\.1:\d+\/1 answers again$/.test(one.told[1]!), one.told[1]);
  assertEquals(one.told.length, 2);
});

redisTest("fail: closed refuses while Redis is away", async (redis) => {
  await using one = await connect(redis.url, { fail: "closed" });
  await redis.kill();
  await one.changes(1);
  for (const ask of [() => one.counters.hit("a:b", { count: 9, per: 9 }), () => one.counters.get("a:b")]) {
    const error = await assertRejects(async () => await ask(), NetError);
    assertEquals(error.code, "not-allowed");
    assert(
      /^Cannot count: the store redis:\/\/127\.0\.0\.1:\d+\/1 cannot be reached$/.test(error.message),
      error.message,
    );
  }
});

redisTest("fail: open counts by itself while Redis is away, and hands over when it is back", async (redis) => {
  await using one = await connect(redis.url, { fail: "open" });
  await one.counters.add("q:ada:day", 700, LATER);
  await redis.kill();
  await one.changes(1);
  assertEquals(await one.counters.add("q:ada:day", 20, LATER), 20);
  assertEquals(await one.counters.add("q:ada:day", 3, LATER), 23);
  const rate = { count: 1, per: 3_600_000 };
  assertEquals([await one.counters.hit("q:ada:new", rate), await one.counters.hit("q:ada:new", rate)], [true, false]);
  await redis.start();
  await one.changes(2);
  await one.counters.close(); // which waits until all is handed over
  await using other = await connect(redis.url);
  assertEquals(await other.counters.get("q:ada:day"), 723);
  assertEquals(await other.counters.hit("q:ada:new", rate), false);
});

redisTest("a server that hangs keeps one command waiting, and no others", async (redis) => {
  const timeout = DEADLINE_MS + 1;
  await using one = await connect(redis.url, { timeout });
  await one.counters.add("q:ada:day", 1, LATER);
  redis.send("SIGSTOP");
  {
    using _hurry = hurried(timeout);
    assertEquals(await one.counters.add("q:bob:day", 5, LATER), 5); // of its own count, when the time is over
    assertEquals(one.told.map((line) => line.replace(/:\d+/, "")), [
      `away: Redis at redis://127.0.0.1/1: no answer within ${timeout} ms`,
    ]);
    for (let i = 0; i < 1000; i++) await one.counters.add("q:bob:day", 1, LATER);
  }
  redis.send("SIGCONT");
  await one.changes(2);
  assertEquals(await one.counters.get("q:ada:day"), 1);
});

redisTest("it can be away from the beginning", async (redis) => {
  await redis.kill();
  await using one = await connect(redis.url, { fail: "open" });
  assertEquals(one.told.length, 1);
  assertEquals(await one.counters.add("q:ada:day", 5, LATER), 5);
  await redis.start();
  await one.changes(2);
});

redisTest("a wrong password is told without it", async ({ url }) => {
  await using one = await connect(url.replace("sesame", "sEsame"), { fail: "closed" });
  assertEquals(one.told.length, 1);
  assert(/WRONGPASS/.test(one.told[0]!), one.told[0]);
  assert(!/esame/i.test(one.told.join()), one.told.join());
  const { message, cause } = await assertRejects(async () => await one.counters.get("a:b"), NetError);
  assert(!message.includes(PASSWORD) && cause === undefined);
});

redisTest("closing lets go at once, also while Redis is away", async (redis) => {
  const one = await connect(redis.url);
  await Promise.all([one.counters.close(), one.counters.close()]);
  const other = await connect(redis.url);
  await redis.kill();
  await other.changes(1);
  await other.counters.close();
  assertEquals(other.told.length, 1);
});

test("a URL that is none is refused without its password", async () => {
  const error = await assertRejects(() => redisCounters("http://ada:secret@host"), RangeError);
  assert(!error.message.includes("secret"), error.message);
});
