import { assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { test } from "node:test";
import { Slab } from "../../src/stream/slab.ts";

test("pieces do not overlap, and come from one buffer while it lasts", () => {
  const slab = new Slab(10);
  const pieces = [4, 6].map((length) => slab.take(length));
  pieces[0]!.fill(1);
  pieces[1]!.fill(2);
  assertEquals(pieces.map((piece) => Array.from(piece)), [[1, 1, 1, 1], [2, 2, 2, 2, 2, 2]]);
  assertStrictEquals(pieces[0]!.buffer, pieces[1]!.buffer);
  assertNotStrictEquals(slab.take(1).buffer, pieces[0]!.buffer);
});

test("what does not fit any more comes from a new buffer", () => {
  const slab = new Slab(10);
  const first = slab.take(8);
  const second = slab.take(3);
  assertNotStrictEquals(first.buffer, second.buffer);
  assertEquals(second.length, 3);
});

test("a piece longer than the slab has a buffer of its own", () => {
  assertEquals(new Slab(10).take(25).length, 25);
});

test("of a piece that was only looked at, what is not kept is given out again", () => {
  const slab = new Slab(100);
  const seen = slab.peek(60);
  slab.keep(7);
  assertEquals([seen.byteOffset, slab.peek(60).byteOffset, slab.take(5).byteOffset], [0, 7, 7]);
  assertEquals(slab.peek(60).byteOffset, 12);
});

test("a slab of nothing gives pieces all the same", () => {
  assertEquals(new Slab(0).take(0).length, 0);
  assertEquals(new Slab(0).take(3).length, 3);
});
