import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { test } from "node:test";
import { NetError } from "../../src/net/errors.ts";
import type { Counters } from "../../src/policy/counters.ts";
import type { Limit, LimitScope, Quota } from "../../src/policy/limit.ts";
import type { Lease } from "../../src/policy/limiter.ts";
import { limiter, type Limits } from "../../src/policy/limits.ts";
import { MemoryCounters } from "../../src/policy/memory_counters.ts";
import { FakeTimers } from "./_fake_timers.ts";
import { requestOf, type Who } from "./_limit_request.ts";
import { Stream } from "./_stream.ts";

const KIB = 1024, HOUR = 3_600_000;

/** Limits with a time of their own, which begins at an hour. */
function setUp(...limits: readonly Limit[]) {
  const timers = new FakeTimers();
  const now = () => Date.UTC(2026, 0, 1) + timers.now();
  const counters = new MemoryCounters({ now });
  return { timers, now, counters, limits: limiter(limits, { counters, now, timers }) };
}

/** A place, at once. */
function admit(limits: Limits, who: Who = {}, ruleLimit?: Limit): Lease {
  const lease = limits.admit(requestOf(who), ruleLimit);
  assert(lease !== undefined && !(lease instanceof Promise));
  return lease;
}

/** The reason for a refusal. */
function refusal(limits: Limits, who: Who = {}, ruleLimit?: Limit): string {
  const { code, message } = assertThrows(() => void limits.admit(requestOf(who), ruleLimit), NetError);
  assertEquals(code, "not-allowed");
  return message;
}

/** Counters that answer later. */
function later(counters: Counters): Counters {
  const answer = async <T>(ask: () => T | Promise<T>): Promise<T> => await ask();
  return {
    hit: (key, rate) => answer(() => counters.hit(key, rate)),
    add: (key, amount, until) => answer(() => counters.add(key, amount, until)),
    get: (key) => answer(() => counters.get(key)),
    delete: (key) => answer(() => counters.delete(key)),
    close: () => counters.close(),
  };
}

test("a session without limits has no place to keep", () => {
  assertEquals(setUp().limits.admit(requestOf(), undefined), undefined);
  const { limits } = setUp({ users: ["ada"], sessions: 1 }, { newSessions: { count: 9, per: 1000 } });
  assertEquals(limits.admit(requestOf({ user: "bob" }), undefined), undefined);
  assertEquals(limits.size, 0);
});

test("sessions at once are counted for whom a limit says, and a refusal names it", () => {
  const clients: Partial<Record<LimitScope, readonly [same: Who, other: Who, reason: string]>> = {
    listener: [{ listener: "lan" }, { listener: "wan" }, ' for listener "lan"'],
    user: [{ user: "ada" }, { user: "bob" }, ' for user "ada"'],
    group: [{ user: "ada", groups: ["staff"] }, { user: "bob", groups: ["guests"] }, ' for group "staff"'],
    address: [{ ip: "192.0.2.7" }, { ip: "192.0.2.8" }, " for 192.0.2.7"],
  };
  for (const [per, [same, other, reason]] of Object.entries(clients)) {
    const { limits } = setUp({ name: "office", per: per as LimitScope, sessions: 2 });
    const leases = [admit(limits, same), admit(limits, same)];
    assertEquals(refusal(limits, same), `Cannot admit: limit "office": 2 sessions at once${reason}`);
    leases.push(admit(limits, other));
    leases[0]!.release();
    leases.push(admit(limits, same));
    refusal(limits, same);
    for (const lease of leases) lease.release();
    assertEquals(limits.size, 0);
  }
});

test("the server's limit is everybody's", () => {
  const { limits } = setUp({ sessions: 1 });
  const lease = admit(limits, { ip: "192.0.2.7", user: "ada" });
  assertEquals(refusal(limits, { ip: "192.0.2.8" }), 'Cannot admit: limit "limit 1": 1 session at once');
  lease.release();
  admit(limits, { ip: "192.0.2.8" });
});

test("IPv6 clients of one /64 are one, and so are clients without a user or an address", () => {
  const byAddress = setUp({ name: "a", per: "address", sessions: 1 }).limits;
  admit(byAddress, { ip: "2001:db8:1:2::3" });
  assertEquals(
    refusal(byAddress, { ip: "2001:db8:1:2:ffff::9" }),
    'Cannot admit: limit "a": 1 session at once for 2001:db8:1:2::/64',
  );
  admit(byAddress, { ip: "2001:db8:1:3::3" });
  admit(byAddress);
  assertEquals(refusal(byAddress), 'Cannot admit: limit "a": 1 session at once for clients without an address');
  const byUser = setUp({ name: "u", per: "user", sessions: 1 }).limits;
  admit(byUser);
  assertEquals(refusal(byUser), 'Cannot admit: limit "u": 1 session at once for clients without a user');
  admit(byUser, { user: "ada" });
});

test("a limit for each group counts in all of them that it names", () => {
  const everyGroup = setUp({ per: "group", sessions: 1 }).limits;
  admit(everyGroup, { user: "ada", groups: ["staff", "admins"] });
  refusal(everyGroup, { user: "bob", groups: ["guests", "admins"] });
  admit(everyGroup, { user: "bob", groups: ["guests"] });
  assertEquals(everyGroup.admit(requestOf({ user: "eve" }), undefined), undefined);
  const named = setUp({ per: "group", groups: ["staff"], sessions: 1 }).limits;
  admit(named, { user: "ada", groups: ["staff", "admins"] });
  assertEquals(named.admit(requestOf({ user: "bob", groups: ["admins"] }), undefined), undefined);
  refusal(named, { user: "bob", groups: ["staff"] });
});

test("a limit is for those that its conditions are true of, all of them", () => {
  const { limits } = setUp({
    from: ["192.0.2.0/24"],
    listeners: ["lan"],
    users: ["*"],
    groups: ["staff"],
    sessions: 0,
  });
  const who = { ip: "192.0.2.7", listener: "lan", user: "ada", groups: ["staff"] };
  refusal(limits, who);
  const { user: _, ...nobody } = who;
  const others: Who[] = [{ ...who, ip: "192.0.3.7" }, { ...who, listener: "wan" }, { ...who, groups: [] }, nobody];
  for (const other of others) assertEquals(limits.admit(requestOf(other), undefined), undefined);
});

test("who is refused by one limit takes no place in the others", () => {
  const { limits, counters } = setUp(
    { name: "server", sessions: 2 },
    { name: "new", newSessions: { count: 3, per: 1000 } },
    { name: "user", per: "user", sessions: 1 },
  );
  admit(limits, { user: "ada" });
  for (let i = 0; i < 5; i++) refusal(limits, { user: "ada" });
  admit(limits, { user: "bob" });
  assertEquals(refusal(limits, { user: "eve" }), 'Cannot admit: limit "server": 2 sessions at once');
  assertEquals(limits.size, 3);
  assertEquals(counters.get("new:server::new"), 2); // those that were refused for another reason are not new sessions
});

test("new sessions come at a rate", () => {
  const { timers, limits } = setUp({ name: "calm", per: "address", newSessions: { count: 2, per: 10_000 } });
  const who = { ip: "192.0.2.7" };
  for (let i = 0; i < 2; i++) assertEquals(limits.admit(requestOf(who), undefined), undefined);
  assertEquals(refusal(limits, who), 'Cannot admit: limit "calm": 2 new sessions in 10 s for 192.0.2.7');
  limits.admit(requestOf({ ip: "192.0.2.8" }), undefined);
  timers.advance(10_000);
  limits.admit(requestOf(who), undefined);
});

test("lifetime and idle time are the least of those that apply", () => {
  const { limits } = setUp(
    { lifetime: 5000 },
    { users: ["ada"], lifetime: 3000, idle: 2000 },
    { users: ["bob"], lifetime: 1, idle: 1 },
  );
  const { lifetime, idle, pace } = admit(limits, { user: "ada" }, { idle: 1000, lifetime: 9000 });
  assertEquals([lifetime, idle, pace], [3000, 1000, undefined]);
  const other = admit(limits);
  assertEquals([other.lifetime, other.idle], [5000, Infinity]);
});

test("the limits of a rule count for themselves", () => {
  const { limits } = setUp({ name: "office", sessions: 3 });
  const first: Limit = { sessions: 1 }, second: Limit = { sessions: 1 };
  const lease = admit(limits, {}, first);
  assertEquals(refusal(limits, {}, first), 'Cannot admit: limit "of a rule": 1 session at once');
  admit(limits, {}, second);
  lease.release();
  admit(limits, {}, first);
  // A name makes them the same, even if the rule is made anew for each request.
  const named = (): Limit => ({ name: "office", sessions: 1 });
  const anew = admit(limits, {}, named());
  assertEquals(refusal(limits, {}, { ...named() }), 'Cannot admit: limit "office": 3 sessions at once');
  lease.release(); // a second time gives nothing back
  refusal(limits);
  anew.release();
  admit(limits);
});

test("sessions of one key share its rate, each way", () => {
  const { timers, limits } = setUp({ per: "user", upload: 64 * KIB, download: 256 * KIB });
  const leases = ["ada", "ada", "bob"].map((user) => admit(limits, { user }));
  const up = leases.map(({ pace }) => new Stream(pace!, 16 * KIB, true));
  const down = leases.map(({ pace }) => new Stream(pace!, 16 * KIB, false));
  for (const stream of [...up, ...down]) stream.go();
  timers.advance(10_000);
  const near = (stream: Stream, rate: number): void =>
    assert(Math.abs(stream.sent / (10 * rate) - 1) < 0.05, `${stream.sent} at ${rate}`);
  near(up[0]!, 32 * KIB);
  near(up[1]!, 32 * KIB);
  near(up[2]!, 64 * KIB);
  near(down[0]!, 128 * KIB);
  near(down[2]!, 256 * KIB);
  for (const stream of [...up, ...down]) stream.isStopped = true;
  for (const lease of leases) lease.release();
  timers.advance(1000);
  assertEquals(timers.running, 0);
});

test("who leaves and comes back finds the bucket as it was, and after a rest it is gone", () => {
  const { timers, limits } = setUp({ per: "address", upload: 64 * KIB });
  let sent = 0;
  for (let i = 0; i < 1000; i++) {
    const lease = admit(limits, { ip: "192.0.2.7" });
    sent += lease.pace!.take(64 * KIB, true);
    lease.release();
    timers.advance(1);
  }
  assert(sent <= 1.06 * 64 * KIB, `${sent} bytes in a second`);
  assertEquals(limits.size, 1);
  timers.advance(1000);
  admit(limits, { ip: "192.0.2.8" }).release();
  assertEquals(limits.size, 0);
});

test("keys vanish when their sessions are gone, and after a flood of them what is left is bounded", () => {
  const { limits } = setUp({ per: "address", upload: 10 });
  for (let i = 0; i < 20_000; i++) {
    const lease = admit(limits, { ip: `10.${i >> 16}.${i >> 8 & 255}.${i & 255}` });
    lease.pace!.takeAll(1000, true); // in debt for long
    lease.release();
  }
  assert(limits.size <= 10_000, `${limits.size} keys`);
});

test("a used up quota refuses new sessions and lets running ones go on, until the next period", () => {
  const { timers, limits } = setUp({ name: "day", per: "user", quota: { bytes: 1000, every: "hour", zone: "UTC" } });
  const lease = admit(limits, { user: "ada" });
  assertEquals(lease.used(400, 500), undefined);
  admit(limits, { user: "ada" }).release();
  assertEquals(lease.used(400, 600), undefined);
  assertEquals(
    refusal(limits, { user: "ada" }),
    'Cannot admit: limit "day": 1000 bytes an hour are used up for user "ada"',
  );
  admit(limits, { user: "bob" });
  timers.advance(HOUR);
  admit(limits, { user: "ada" }).release();
});

test("a quota counts what its sessions did since the last time, once", () => {
  for (const [count, expected] of [[undefined, 130], ["upload", 30], ["download", 100]] as const) {
    const { limits, counters } = setUp({ name: "q", quota: { bytes: 1000, every: "month", zone: "UTC", count } });
    const lease = admit(limits);
    lease.used(10, 50);
    lease.used(10, 50);
    lease.used(30, 100);
    lease.release();
    assertEquals(counters.get("q:server::month-2026-01-01"), expected);
    lease.used(1000, 1000); // it is over
    assertEquals(counters.get("q:server::month-2026-01-01"), expected);
    assertEquals(limits.size, 0);
  }
});

test("a used up quota ends running sessions where it says so", () => {
  const { limits } = setUp({ name: "q", quota: { bytes: 1000, every: "week", zone: "UTC", then: "end" } });
  const [first, second] = [admit(limits), admit(limits)];
  assertEquals(first.used(999, 0), undefined);
  const end = first.used(1000, 0);
  assert(end instanceof NetError && end.code === "not-allowed");
  assertEquals(end.message, 'Cannot go on: limit "q": 1000 bytes a week are used up');
  assertEquals(second.used(0, 0)?.message, end.message);
  refusal(limits);
});

test("a used up quota slows running and new sessions down where it says so, until the next period", () => {
  const { timers, limits } = setUp({ per: "user", quota: { bytes: 1000, every: "hour", zone: "UTC", then: 10 * KIB } });
  const lease = admit(limits, { user: "ada" });
  const pace = lease.pace!;
  assertEquals(pace.take(1_000_000, true), 1_000_000);
  assertEquals(lease.used(1_000_000, 0), undefined);
  const other = admit(limits, { user: "ada" });
  const streams = [new Stream(pace, 4 * KIB), new Stream(other.pace!, 4 * KIB)];
  for (const stream of streams) stream.go();
  timers.advance(10_000);
  for (const { sent } of streams) assert(Math.abs(sent / (50 * KIB) - 1) < 0.05, `${sent}`);
  assertEquals(admit(limits, { user: "bob" }).pace!.take(1_000_000, true), 1_000_000);
  for (const stream of streams) stream.isStopped = true;
  timers.advance(HOUR);
  lease.used(1_000_000, 0);
  assertEquals(pace.take(1_000_000, false), 1_000_000);
});

test("under a used up quota, who leaves and comes back is still slow", () => {
  const { timers, limits } = setUp({ per: "user", quota: { bytes: 1, every: "day", zone: "UTC", then: 10 * KIB } });
  admit(limits).used(1, 0);
  let sent = 0;
  for (let i = 0; i < 1000; i++) {
    const lease = admit(limits);
    sent += lease.pace!.take(KIB, false);
    lease.release();
    timers.advance(1);
  }
  assert(sent <= 1.06 * 10 * KIB, `${sent} bytes in a second`);
});

test("a session that ends while it waits is called back, and its share goes to the others", () => {
  const { timers, limits } = setUp({ upload: 64 * KIB });
  const [first, second] = [admit(limits), admit(limits)];
  const streams = [new Stream(first.pace!, 16 * KIB), new Stream(second.pace!, 16 * KIB)];
  for (const stream of streams) stream.go();
  timers.advance(1000);
  streams[0]!.isStopped = true;
  let calls = 0;
  first.pace!.wait(true, () => calls++);
  first.release();
  assertEquals(first.pace!.take(1_000_000, true), 1_000_000);
  const before = streams[1]!.sent;
  timers.advance(10_000);
  assertEquals(calls, 1);
  assert(Math.abs((streams[1]!.sent - before) / (640 * KIB) - 1) < 0.05);
});

test("an answer that comes after its period is over says nothing of the next", async () => {
  const { counters, now, timers } = setUp();
  const quota: Quota = { bytes: 1000, every: "hour", zone: "UTC", then: "end" };
  const limits = limiter([{ name: "q", quota }], { counters: later(counters), now, timers });
  const lease = await limits.admit(requestOf(), undefined);
  lease!.used(1000, 0);
  assertEquals(counters.get("q:server::hour-20260101T000000Z"), 1000);
  timers.advance(HOUR);
  lease!.used(1000, 0); // the next has begun
  await limits.close(); // all answers are in
  assertEquals(lease!.used(1001, 0), undefined);
  lease!.release();
});

test("counts that are elsewhere are waited for, and the answers are the same", async () => {
  const { counters, now, timers } = setUp();
  const limits = limiter([
    { name: "q", per: "user", sessions: 5, quota: { bytes: 1000, every: "day", zone: "UTC", then: "end" } },
    { name: "new", per: "address", newSessions: { count: 3, per: 1000 } },
  ], { counters: later(counters), now, timers });
  const [ada, bob] = [requestOf({ user: "ada", ip: "192.0.2.7" }), requestOf({ user: "bob", ip: "192.0.2.7" })];
  const lease = await limits.admit(ada, undefined);
  lease!.used(600, 0);
  lease!.used(700, 0); // while the first is under way
  assertEquals(lease!.used(700, 300)?.code, "not-allowed");
  lease!.release();
  await limits.close();
  assertEquals(counters.get("q:user:ada:day-2026-01-01"), 1000);
  const usedUp = 'Cannot admit: limit "q": 1000 bytes a day are used up for user "ada"';
  await assertRejects(async () => await limits.admit(ada, undefined), NetError, usedUp);
  const leases = [await limits.admit(bob, undefined), await limits.admit(bob, undefined)];
  const tooMany = 'Cannot admit: limit "new": 3 new sessions in 1 s for 192.0.2.7';
  await assertRejects(async () => await limits.admit(bob, undefined), NetError, tooMany);
  for (const lease of leases) lease!.release();
  assertEquals(limits.size, 0);
});

test("counts that cannot be reached refuse new sessions, and what was used meanwhile is told later", async () => {
  const { counters, now, timers } = setUp();
  let isAway = false;
  const away = () => {
    if (isAway) throw new NetError("not-allowed", "Cannot count: the store cannot be reached");
  };
  const store = later({
    hit: (key, rate) => (away(), counters.hit(key, rate)),
    add: (key, amount, until) => (away(), counters.add(key, amount, until)),
    get: (key) => (away(), counters.get(key)),
    delete: (key) => counters.delete(key),
    close: () => counters.close(),
  });
  const limits = limiter([{ name: "q", quota: { bytes: 1000, every: "day", zone: "UTC" } }], {
    counters: store,
    now,
    timers,
  });
  const lease = await limits.admit(requestOf(), undefined);
  isAway = true;
  lease!.used(100, 0);
  await assertRejects(async () => await limits.admit(requestOf(), undefined), NetError, "cannot be reached");
  lease!.used(200, 0);
  lease!.release();
  isAway = false;
  await limits.close();
  assertEquals(counters.get("q:server::day-2026-01-01"), 200);
});

function memoryOf(counters: MemoryCounters): Counters {
  return {
    hit: (key, rate) => counters.hit(key, rate),
    add: (key, amount, until) => counters.add(key, amount, until),
    get: (key) => counters.get(key),
    delete: (key) => counters.delete(key),
    close: () => counters.close(),
  };
}

test("another configuration goes on counting those who are there", () => {
  const { timers, counters, limits } = setUp(
    { name: "office", per: "user", sessions: 2, upload: 64 * KIB },
    { name: "old", sessions: 1 },
  );
  const old = admit(limits, { user: "ada" });
  const stream = new Stream(old.pace!, 16 * KIB);
  stream.go();
  const next = limiter([{ name: "office", per: "user", sessions: 1, upload: 16 * KIB }, { name: "new", sessions: 2 }], {
    counters,
    previous: limits,
  });
  next.begin();
  assertEquals(refusal(next, { user: "ada" }), 'Cannot admit: limit "office": 1 session at once for user "ada"');
  const before = stream.sent;
  timers.advance(10_000);
  assert(Math.abs((stream.sent - before) / (160 * KIB) - 1) < 0.05, `${stream.sent - before} bytes at the new rate`);
  const bob = admit(next, { user: "bob" });
  old.release();
  admit(next, { user: "ada" }).release();
  bob.release();
  stream.isStopped = true;
  timers.advance(1000);
  admit(next, { user: "eve" }).release();
  assertEquals(next.size, 0);
});

test("a bound on bytes that another configuration has no more holds no more", () => {
  const { counters, limits, timers } = setUp({ name: "office", upload: 10 });
  const { pace } = admit(limits);
  while (pace!.take(1000, true) > 0);
  let leave = 0;
  pace!.wait(true, () => leave = pace!.take(1000, true));
  limiter([{ name: "office", sessions: 9 }], { counters, previous: limits }).begin();
  timers.advance(10);
  assertEquals(leave, 1000);
});

test("another configuration that never came to hold changes nothing", async () => {
  let closed = 0;
  const { timers, counters, limits } = setUp({ name: "office", upload: 16 * KIB, sessions: 1 });
  const lease = admit(limits);
  const stream = new Stream(lease.pace!, 16 * KIB);
  stream.go();
  const other = new MemoryCounters();
  const close = (): Promise<void> => Promise.resolve(void closed++);
  const unused = limiter([{ name: "office", upload: 64 * KIB, sessions: 2 }], {
    counters: { ...memoryOf(other), close },
    previous: limits,
  });
  await unused.close();
  assertEquals(closed, 1);
  const before = stream.sent;
  timers.advance(10_000);
  assert(Math.abs((stream.sent - before) / (160 * KIB) - 1) < 0.05, `${stream.sent - before} bytes at the old rate`);
  assertEquals(refusal(limits), 'Cannot admit: limit "office": 1 session at once');
  stream.isStopped = true;
  lease.release();
  counters.close = close;
  await limits.close();
  assertEquals(closed, 2);
});

test("counters are closed by the last who counts with them", async () => {
  let closed: string[] = [];
  const make = (name: string): Counters => ({
    ...memoryOf(new MemoryCounters()),
    close: () => {
      closed.push(name);
      return Promise.resolve();
    },
  });
  const [a, b] = [make("a"), make("b")];
  const first = limiter([], { counters: a });
  const second = limiter([], { counters: a, previous: first });
  second.begin();
  await first.close();
  assertEquals(closed, []);
  const unused = limiter([], { counters: b, previous: second });
  await unused.close();
  assertEquals(closed, ["b"]);
  closed = [];
  const third = limiter([], { counters: b, previous: second });
  third.begin();
  await second.close();
  assertEquals(closed, ["a"]);
  closed = [];
  await third.close();
  assertEquals(closed, ["b"]);
});

test("limits that cannot be told apart or read are mistakes", () => {
  const { counters } = setUp();
  const twins: Limit[] = [{ name: "a", sessions: 1 }, { name: "a", per: "user" }, { name: "a", sessions: 2 }];
  assertThrows(
    () => limiter(twins, { counters }),
    RangeError,
    "Cannot use limits[2]: found the name and scope of limits[0], expected another",
  );
  assertThrows(
    () => limiter([{ from: ["loopback", "10.0.0.1/8"] }], { counters }),
    RangeError,
    'Cannot use limits[0].from[1]: found "10.0.0.1/8", expected',
  );
});
