import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import { Deadlines } from "../../src/server/deadlines.ts";
import { eventually, soon } from "./_harness.ts";

test("what it holds is told the time, again and again", async () => {
  const deadlines = new Deadlines(10);
  const times: number[] = [];
  const timed = { tick: (now: number) => void times.push(now) };
  const seat = deadlines.add(timed);
  await eventually(() => times.length >= 3, "three ticks");
  deadlines.delete(seat);
  assert(times[0]! < times[1]! && times[1]! < times[2]!);
  assert(Math.abs(performance.now() - times.at(-1)!) < 5000, "the same clock");
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
  const deadlines = new Deadlines(10);
  for (let i = 0; i < 2; i++) {
    await soon(
      new Promise<void>((resolve) => {
        const timed = {
          tick: () => {
            deadlines.delete(seat);
            resolve();
          },
        };
        const seat = deadlines.add(timed);
      }),
      "a tick",
    );
    await new Promise((resolve) => setTimeout(resolve, 40)); // it has stopped its clock by now
  }
});
