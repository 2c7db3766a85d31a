import { assertEquals, assertRejects } from "@std/assert";
import { test } from "node:test";
import { AuthenticationError } from "../../src/auth/method.ts";
import { NetError } from "../../src/net/errors.ts";
import type { Counters } from "../../src/policy/counters.ts";
import type { LoginLimit } from "../../src/policy/limit.ts";
import { loginGuard } from "../../src/policy/login_guard.ts";
import { MemoryCounters } from "../../src/policy/memory_counters.ts";

const IP = "192.0.2.7";
const MINUTE = 60_000;

/** A guard, and a clock that goes when it is told to. */
function guarded(limit: LoginLimit = {}, maxKeys?: number) {
  let now = 1_000_000;
  const counters = new MemoryCounters({ now: () => now, maxKeys });
  const guard = loginGuard(limit, counters, () => now);
  return {
    ...guard,
    counters,
    pass: (ms: number) => now += ms,
    fail: (times: number, ip = IP, user = "ada") => Array.from({ length: times }, () => guard.failed(ip, user)),
    mayTry: (ip: string | undefined = IP) => guard.mayTry(ip) === undefined,
    refusal: () => guard.mayTry(IP),
  };
}

test("the tenth failure within ten minutes refuses an address for a minute", () => {
  const { fail, mayTry, refusal, pass } = guarded();
  assertEquals(fail(9), Array(9).fill(0));
  assertEquals(mayTry(), true);
  assertEquals(fail(1), [MINUTE]);
  assertEquals(refusal(), "too many failed logins from 192.0.2.7");
  assertEquals(mayTry("192.0.2.8"), true);
  pass(MINUTE - 1);
  assertEquals(mayTry(), false);
  pass(1);
  assertEquals(mayTry(), true);
});

test("failures far apart do not add up", () => {
  const { fail, mayTry, pass } = guarded({ attempts: 3, within: 1000 });
  for (let i = 0; i < 20; i++, pass(600)) assertEquals(fail(1), [0]);
  assertEquals(mayTry(), true);
});

test("each time it is refused for twice as long, up to a maximum, and what was is forgotten after that", () => {
  const { fail, pass } = guarded({ attempts: 2, refuseFor: MINUTE, refuseAtMost: 5 * MINUTE });
  const round = () => {
    const lasts = fail(2)[1] as number;
    pass(lasts);
    return lasts / MINUTE;
  };
  assertEquals([round(), round(), round(), round(), round()], [1, 2, 4, 5, 5]);
  pass(5 * MINUTE - 1);
  assertEquals(round(), 5);
  pass(5 * MINUTE);
  assertEquals(round(), 1);
});

test("a success clears failures, but neither a refusal nor how long the next one is", () => {
  const { fail, succeeded, mayTry, pass } = guarded({ attempts: 3 });
  fail(2);
  succeeded(IP, "ada");
  assertEquals(fail(2), [0, 0]);
  assertEquals(fail(1), [MINUTE]);
  succeeded(IP, "ada");
  assertEquals(mayTry(), false);
  pass(MINUTE);
  assertEquals(fail(3), [0, 0, 2 * MINUTE]);
});

test("who may log in cannot guess at others in between", () => {
  const { fail, succeeded, mayTry } = guarded({ attempts: 5 });
  fail(1);
  for (let round = 0; round < 4; round++) {
    assertEquals(fail(1, IP, "bob"), [0]);
    succeeded(IP, "ada");
  }
  assertEquals(fail(1, IP, "bob"), [MINUTE]);
  assertEquals(mayTry(), false);
});

test("failures that count no more are not taken back", () => {
  const { fail, succeeded, pass } = guarded({ attempts: 3, within: 1000 });
  fail(1, IP, "bob");
  pass(600);
  fail(1);
  pass(600);
  succeeded(IP, "ada");
  assertEquals(fail(3), [0, 0, MINUTE]);
});

test("failures of logins that were under way lead to no second refusal", () => {
  const { fail, pass, mayTry } = guarded({ attempts: 3 });
  assertEquals(fail(30).filter((lasts) => lasts !== 0), [MINUTE]);
  pass(MINUTE);
  assertEquals(mayTry(), true);
  assertEquals(fail(1), [2 * MINUTE]); // they count, though
});

test("an IPv6 address is refused with all that its client could choose from", () => {
  const { fail, mayTry } = guarded({ attempts: 3 });
  for (const ip of ["2001:db8:0:1::1", "2001:db8:0:1::ffff:1", "2001:db8:0:1:a:b:c:d"]) fail(1, ip);
  assertEquals([mayTry("2001:db8:0:1::77"), mayTry("2001:db8:0:2::1")], [false, true]);
});

test("loopback is guarded, and clients without an address are not", () => {
  const { fail, failed, mayTry } = guarded({ attempts: 1 });
  assertEquals(fail(1, "127.0.0.1"), [MINUTE]);
  assertEquals(mayTry("127.0.0.1"), false);
  const guard = loginGuard({ attempts: 1 }, new MemoryCounters());
  assertEquals([failed(undefined, "ada"), guard.mayTry(undefined), guard.succeeded(undefined, "ada")], [
    0,
    undefined,
    undefined,
  ]);
});

test("what it remembers is bounded, and an address that keeps trying is remembered", () => {
  const { fail, mayTry, counters } = guarded({ attempts: 2 }, 1000);
  fail(2);
  for (let i = 0; i < 20_000; i++) {
    fail(1, `2001:db8:${(i >> 8).toString(16)}:${(i & 255).toString(16)}::1`);
    if (i % 500 === 0) assertEquals(mayTry(), false, `${i}`);
  }
  assertEquals(counters.size, 2000); // addresses, and names at them
});

test("it works with counts that are elsewhere", async () => {
  const memory = new MemoryCounters({ now: () => 0 });
  const away: Counters = {
    hit: (key, rate) => Promise.resolve(memory.hit(key, rate)),
    add: (key, amount, until) => Promise.resolve(memory.add(key, amount, until)),
    get: (key) => Promise.resolve(memory.get(key)),
    delete: (key) => Promise.resolve(memory.delete(key)),
    close: () => Promise.resolve(),
  };
  const guard = loginGuard({ attempts: 2 }, away, () => 0);
  assertEquals(await guard.failed(IP, "ada"), 0);
  await guard.succeeded(IP, "ada");
  assertEquals([await guard.failed(IP, "ada"), await guard.failed(IP, "ada")], [0, MINUTE]);
  assertEquals(await guard.mayTry(IP), "too many failed logins from 192.0.2.7");
});

test("counts that cannot be reached refuse a try, of which the client knows nothing", async () => {
  const message = "Cannot count: the store cannot be reached";
  const fail = () => Promise.reject(new NetError("not-allowed", message));
  const guard = loginGuard({}, { hit: fail, add: fail, get: fail, delete: fail, close: () => Promise.resolve() });
  const error = await assertRejects(async () => await guard.mayTry(IP), AuthenticationError, message);
  assertEquals(error.isUnchecked, true);
  assertEquals(await guard.failed(IP, "ada"), 0);
  assertEquals(await guard.succeeded(IP, "ada"), undefined);
});
