import { assertEquals } from "@std/assert";
import { test } from "node:test";
import { Deadlines } from "../../src/server/deadlines.ts";
import { Clock } from "./_clock.ts";
import { eventually } from "./_harness.ts";

test("what it holds is told the time, again and again", async () => {
  const deadlines = new Deadlines(10);
  const times: number[] = [performance.now()];
  const timed = { tick: (now: number) => void times.push(now) };
  const seat = deadlines.add(timed);
  await eventually(() => times.length > 3, "three ticks");
  deadlines.delete(seat);
  times.push(performance.now()); // it is the same clock
  assertEquals(times, [...times].sort((a, b) => a - b));
  assertEquals(new Set(times.slice(0, -1)).size, times.length - 1);
});

test("what it no longer holds is told nothing, and others still are", async () => {
  const deadlines = new Deadlines(10);
  let gone = 0, kept = 0;
  const leaves = {
    tick: () => {
      gone++;
      deadlines.delete(seat);
    },
  };
  const stays = { tick: () => void kept++ };
  const seat = deadlines.add(leaves);
  const last = deadlines.add(stays);
  await eventually(() => kept >= 4, "four ticks");
  assertEquals(gone, 1);
  deadlines.delete(last);
});

test("it begins again after it held nothing", async () => {
  using clock = new Clock();
  const deadlines = new Deadlines(10);
  for (let round = 1; round <= 2; round++) {
    let ticks = 0;
    const seat = deadlines.add({ tick: () => void ticks++ });
    await clock.advance(10);
    assertEquals(ticks, 1);
    deadlines.delete(seat);
    await clock.advance(10);
    assertEquals([ticks, clock.left], [1, []], "its timer has stopped");
  }
});
