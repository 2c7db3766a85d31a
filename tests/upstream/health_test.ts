import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { Health } from "../../src/upstream/health.ts";

const PAUSES = { first: 10, longest: 35 };

test("each pause is twice as long as the one before, up to the longest", () => {
  const health = new Health(PAUSES);
  const pauses = [0, 100, 200, 300].map((now) => (health.failed(now, now, "it is a test"), health.pause));
  assertEquals(pauses, [10, 20, 35, 35]);
  health.succeeded(400, "it is a test");
  health.failed(500, 500, "it is a test");
  assertEquals(health.pause, 10);
});

test("a member that is down is due when its pause is over, for one trial", () => {
  const health = new Health(PAUSES);
  assert(!health.isDue(0));
  health.failed(0, 0, "it is a test");
  assert(!health.isDue(9));
  assert(health.isDue(10));
  health.claim(10);
  assert(!health.isDue(10));
  assert(health.isDue(20));
});

test("what was under way at a failure says nothing any more", () => {
  const health = new Health(PAUSES);
  health.failed(0, 5, "it is a test");
  health.failed(1, 6, "it is a test");
  assertEquals([health.pause, health.failedAt], [10, 5]);
  health.succeeded(4, "it is a test");
  assert(!health.isUp);
  health.succeeded(5, "it is a test");
  assert(health.isUp);
});

test("each change is told once", () => {
  const told: string[] = [];
  const health = new Health({ ...PAUSES, changed: (isUp, reason) => told.push(`${isUp} ${reason}`) });
  health.succeeded(0, "a");
  health.failed(1, 1, "b");
  health.failed(2, 2, "c");
  health.succeeded(3, "d");
  health.succeeded(4, "e");
  assertEquals(told, ["false b", "true d"]);
});

test("the latency follows what is measured, and is forgotten at a failure", () => {
  fc.assert(fc.property(fc.array(fc.nat(1000), { minLength: 1 }), fc.nat(1000), (before, after) => {
    const health = new Health(PAUSES);
    for (const took of before) health.measured(took);
    assert(health.latency! >= Math.min(...before) - 1e-6 && health.latency! <= Math.max(...before) + 1e-6);
    for (let n = 0; n < 40; n++) health.measured(after);
    assert(Math.abs(health.latency! - after) < 0.01);
    health.failed(0, 0, "it is a test");
    assertEquals(health.latency, undefined);
  }));
});
