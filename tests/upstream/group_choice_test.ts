import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { targetOf } from "../../src/protocol/address.ts";
import { type Candidate, chooser } from "../../src/upstream/group_choice.ts";
import type { GroupChoice } from "../../src/upstream/upstream.ts";
import { contextOf, TARGET } from "./_ways.ts";

const CHOICES: readonly GroupChoice[] = [
  "first",
  "round-robin",
  "random",
  "weighted",
  "least-latency",
  "sticky-user",
  "sticky-target",
];

const member = (name: string, more: Partial<Candidate> = {}): Candidate => ({
  name,
  weight: 1,
  latency: undefined,
  ...more,
});
const ABC = ["a", "b", "c"].map((name) => member(name));
const asked = (user?: string, host = TARGET.host) => ({
  request: contextOf(user).request,
  target: targetOf(host, 443),
});

/** Numbers that look random and are the same each time. */
function repeatable(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

test("every choice is one of the candidates", () => {
  const candidates = fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 8 });
  fc.assert(fc.property(fc.constantFrom(...CHOICES), candidates, fc.string(), fc.nat(), (choice, names, user, seed) => {
    const members = names.map((name) => member(name));
    const choose = chooser(choice, repeatable(seed));
    for (let n = 0; n < 10; n++) assert(members.includes(choose(members, asked(user))));
  }));
});

test("round robin takes one after the other", () => {
  const choose = chooser("round-robin", repeatable(1));
  assertEquals(Array.from({ length: 7 }, () => choose(ABC, asked()).name).join(""), "abcabca");
});

test("first is the first", () => {
  const choose = chooser("first", repeatable(1));
  assertEquals([choose(ABC, asked()).name, choose(ABC.slice(1), asked()).name], ["a", "b"]);
});

test("random is anyone, about as often", () => {
  const choose = chooser("random", repeatable(1));
  const counts = new Map<string, number>();
  for (let n = 0; n < 3000; n++) {
    const { name } = choose(ABC, asked());
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const { name } of ABC) assert(counts.get(name)! > 900, `${name} ${counts.get(name)}`);
});

test("weights are kept to exactly, whenever each had its share", () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }), (weights) => {
    const members = weights.map((weight, index) => member(String(index), { weight }));
    const choose = chooser("weighted", repeatable(1));
    const counts = weights.map(() => 0);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    for (let n = 0; n < 3 * total; n++) counts[Number(choose(members, asked()).name)]!++;
    assertEquals(counts, weights.map((weight) => 3 * weight));
  }));
});

test("weights are spread evenly", () => {
  const choose = chooser("weighted", repeatable(1));
  const members = [member("a", { weight: 5 }), member("b"), member("c")];
  assertEquals(Array.from({ length: 7 }, () => choose(members, asked()).name).join(""), "aabacaa");
});

test("the fastest is taken, but for now and then another; one that was not measured is measured", () => {
  const members = [member("a", { latency: 30 }), member("b", { latency: 20 }), member("c", { latency: 25 })];
  assertEquals(chooser("least-latency", () => 0.5)(members, asked()).name, "b");
  assertEquals(chooser("least-latency", () => 0.01)(members, asked()).name, "a");
  assertEquals(chooser("least-latency", () => 0.5)([...members, member("d")], asked()).name, "d");
  const choose = chooser("least-latency", repeatable(1));
  const fastest =
    Array.from({ length: 1000 }, () => choose(members, asked()).name).filter((name) => name === "b").length;
  assert(fastest > 900 && fastest < 1000, String(fastest));
});

test("a user stays with a member, and moves only when that one leaves", () => {
  const choose = chooser("sticky-user", repeatable(1));
  fc.assert(fc.property(fc.string(), fc.nat(2), (user, leaving) => {
    const before = choose(ABC, asked(user)).name;
    assertEquals(choose(ABC, asked(user, "other.example")).name, before);
    const after = choose(ABC.filter((_, index) => index !== leaving), asked(user)).name;
    if (before !== ABC[leaving]!.name) assertEquals(after, before);
  }));
  const used = new Set(Array.from({ length: 50 }, (_, n) => choose(ABC, asked(`user ${n}`)).name));
  assertEquals(used.size, 3);
});

test("who has not logged in is known by the address", () => {
  const choose = chooser("sticky-user", repeatable(1));
  const from = (ip: string) => ({ target: TARGET, request: { user: undefined, client: { ip, port: 1 } } });
  const used = new Set(Array.from({ length: 50 }, (_, n) => choose(ABC, from(`192.0.2.${n}`)).name));
  assertEquals(used.size, 3);
  assertEquals(choose(ABC, from("192.0.2.1")).name, choose(ABC, from("192.0.2.1")).name);
});

test("a target stays with a member, however its name is written and whoever asks", () => {
  const choose = chooser("sticky-target", repeatable(1));
  assertEquals(choose(ABC, asked("ada", "Example.COM.")).name, choose(ABC, asked("bob", "example.com")).name);
  const used = new Set(Array.from({ length: 50 }, (_, n) => choose(ABC, asked("ada", `${n}.example`)).name));
  assertEquals(used.size, 3);
});
