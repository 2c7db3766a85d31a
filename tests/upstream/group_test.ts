import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { ProxyError } from "../../src/client/proxy_error.ts";
import { NetError } from "../../src/net/errors.ts";
import { groupWay } from "../../src/upstream/group.ts";
import { contextOf, type Deed, Grouped, proxyFailure, TARGET } from "./_ways.ts";

const DOWN = proxyFailure("dial", "refused");
const CHECK = { every: 10_000, timeout: 5_000, longestPause: 40_000 };

test("a member that fails is passed over, and tried again when its pause is over", async () => {
  const grouped = new Grouped(2, { check: CHECK });
  const { ways, clock, said } = grouped;
  const connect = (): Promise<string> => grouped.connect();
  ways[0]!.deed = DOWN;
  assertEquals([await connect(), await connect()], ["ab", "b"]);
  await clock.pass(9_999);
  assertEquals(await connect(), "b");
  await clock.pass(1);
  assertEquals([await connect(), await connect()], ["ab", "b"]);
  await clock.pass(20_000);
  ways[0]!.deed = 0;
  assertEquals([await connect(), await connect()], ["a", "a"]);
  assertEquals(said, [`team a down: ${DOWN.message}`, "team a up: a connection succeeded"]);
});

test("when all are down, those are tried whose failure is longest ago", async () => {
  const grouped = new Grouped(3, { check: CHECK });
  const [a, b, c] = grouped.ways;
  for (const way of grouped.ways) way.deed = DOWN;
  a!.deed = 0;
  c!.deed = 0;
  assertEquals(await grouped.connect(), "a");
  a!.deed = DOWN;
  await grouped.clock.pass(1);
  assertEquals(await grouped.connect(), "abc");
  await grouped.clock.pass(1);
  c!.deed = DOWN;
  assertEquals(await grouped.connect(), "cab: dial");
  b!.deed = 0;
  assertEquals([await grouped.connect(), await grouped.connect()], ["ab", "b"]);
});

test("of those that are down the one is tried first that failed first", async () => {
  const delays = [0.9, 0.1];
  const grouped = new Grouped(2, { check: { ...CHECK, target: "probe.example:80" } }, {
    random: () => delays.shift() ?? 0.5,
  });
  for (const way of grouped.ways) way.deed = DOWN;
  await grouped.clock.pass(1_000);
  assertEquals([grouped.log.join(""), grouped.said.length], ["ba", 2]);
  for (const way of grouped.ways) way.deed = 0;
  assertEquals(await grouped.connect(), "b");
  grouped.group.close!();
});

test("a member whose pause is over is tried by one session, and the others do not wait for it", async () => {
  const grouped = new Grouped(2, { check: CHECK });
  grouped.ways[0]!.deed = DOWN;
  await grouped.connect();
  await grouped.clock.pass(10_000);
  grouped.ways[0]!.deed = "hang";
  const trial = grouped.connect();
  assertEquals(grouped.log.join(""), "aba");
  assertEquals([await grouped.connect(), await grouped.connect()], ["b", "b"]);
  await grouped.clock.pass(5_000);
  await trial;
  assertEquals(grouped.log.join(""), "ababbb");
});

test("what is said of the target is passed on, and nobody is down", async () => {
  const grouped = new Grouped(2);
  grouped.ways[0]!.deed = proxyFailure("reply", "refused", { reply: 5 });
  assertEquals([await grouped.connect(), await grouped.connect()], ["a: reply", "a: reply"]);
  grouped.ways[0]!.deed = new NetError("not-allowed", "a rule");
  assertEquals(await grouped.connect(), "a: NetError: a rule");
  assertEquals(grouped.said, []);
});

test("a proxy that answers again is up, whatever it says of the target", async () => {
  const grouped = new Grouped(2);
  grouped.ways[0]!.deed = DOWN;
  await grouped.connect();
  grouped.ways[0]!.deed = proxyFailure("reply", "refused", { reply: 5 });
  await grouped.clock.pass(10_000);
  assertEquals(await grouped.connect(), "a: reply");
  assertEquals(grouped.said.at(-1), "team a up: it answers");
});

test("a proxy that hangs up in place of an answer leaves it to others that are up, and to no more", async () => {
  const grouped = new Grouped(3);
  const [a, b, c] = grouped.ways;
  a!.deed = DOWN;
  assertEquals(await grouped.connect(), "ab");
  b!.deed = proxyFailure("reply", "closed");
  assertEquals(await grouped.connect(), "bc");
  c!.deed = proxyFailure("reply", "closed");
  assertEquals(await grouped.connect(), "bc: reply");
  assertEquals(grouped.said.length, 1);
});

test("where sessions log in for themselves, one that is refused goes on to the next and takes nothing from others", async () => {
  const grouped = new Grouped(2, {}, { isolates: true });
  grouped.ways[0]!.deed = proxyFailure("authentication", "permission-denied");
  assertEquals([await grouped.connect(), await grouped.connect()], ["ab", "ab"]);
  assertEquals(grouped.said, []);
});

test("each member is tried once at most, until one works", async () => {
  const deeds = fc.array(fc.boolean(), { minLength: 1, maxLength: 6 });
  const choices = fc.constantFrom("first", "round-robin", "random", "weighted", "least-latency", "sticky-user");
  await fc.assert(fc.asyncProperty(deeds, choices, async (works, choose) => {
    const grouped = new Grouped(works.length, { choose } as { choose: "first" });
    grouped.ways.forEach((way, index) => way.deed = works[index]! ? 0 : DOWN);
    for (let n = 0; n < 3; n++) {
      const [tried, phase] = (await grouped.connect()).split(": ");
      assertEquals(new Set(tried).size, tried!.length);
      assertEquals(phase, works.includes(true) ? undefined : "dial");
      if (phase !== undefined) assertEquals(tried!.length, works.length);
      else assert(works["abcdef".indexOf(tried!.at(-1)!)]);
      await grouped.clock.pass(3_000);
    }
  }));
});

test("a proxy that says nothing is given up after a while, and the next one is tried", async () => {
  const grouped = new Grouped(2, { check: CHECK });
  grouped.ways[0]!.deed = "hang";
  const connecting = grouped.connect();
  await grouped.clock.pass(4_999);
  assertEquals(grouped.log.join(""), "a");
  await grouped.clock.pass(1);
  assertEquals(await connecting, "ab");
  assertEquals(grouped.said.length, 1);
  assertEquals(await grouped.connect(), "b");
  assertEquals(grouped.clock.waiting, 0);
});

test("a target may take its time", async () => {
  const grouped = new Grouped(2);
  const controller = new AbortController();
  grouped.ways[0]!.deed = "hang at the target";
  const connecting = grouped.connect(TARGET, contextOf(undefined, controller.signal));
  await grouped.clock.pass(100_000);
  controller.abort(new NetError("timeout", "the session has no more time"));
  assertEquals(await connecting, "a: reply");
  assertEquals(grouped.said, []);
});

test("a client that leaves takes no member down; nor does one whose time is nearly over", async () => {
  for (const code of ["closed", "timeout"] as const) {
    const grouped = new Grouped(2);
    const controller = new AbortController();
    grouped.ways[0]!.deed = "hang";
    const connecting = grouped.connect(TARGET, contextOf(undefined, controller.signal));
    await grouped.clock.pass(1_000);
    controller.abort(new NetError(code, "it is a test"));
    assertEquals(await connecting, "a: dial");
    assertEquals(grouped.said, []);
    assertEquals(grouped.clock.waiting, 0);
  }
});

test("checks find who is down before a session does, and who is back", async () => {
  const grouped = new Grouped(2, { check: { ...CHECK, target: "probe.example:80" } });
  const [a, b] = grouped.ways;
  await grouped.clock.pass(1_000);
  assertEquals([grouped.log.join(""), a!.closed, b!.closed], ["ab", 1, 1]);
  a!.deed = "hang";
  await grouped.clock.pass(10_000 + 5_000);
  assertEquals(grouped.said.length, 1);
  grouped.log.length = 0;
  assertEquals(await grouped.connect(), "b");
  a!.deed = 0;
  await grouped.clock.pass(10_000);
  assertEquals(grouped.said.at(-1), "team a up: a check succeeded");
  assertEquals(await grouped.connect(), "a");
  grouped.group.close!();
  assertEquals(grouped.clock.waiting, 0);
});

test("with checks, a member that cannot reach their target is down, and no session is its trial", async () => {
  const grouped = new Grouped(2, { check: { ...CHECK, target: "probe.example:80" } });
  grouped.ways[0]!.deed = proxyFailure("reply", "unreachable-network", { reply: 3 });
  await grouped.clock.pass(1_000);
  grouped.ways[0]!.deed = "hang";
  await grouped.clock.pass(10_500);
  assertEquals(await grouped.connect(), "b");
  grouped.group.close!();
});

test("checks of a member come one after the other, ever more seldom while it is down", async () => {
  const grouped = new Grouped(1, { check: { ...CHECK, target: "192.0.2.80:80" } });
  grouped.ways[0]!.deed = DOWN;
  const counts: number[] = [];
  for (let n = 0; n < 6; n++) {
    await grouped.clock.pass(n === 0 ? 1_000 : 10_000);
    counts.push(grouped.log.length);
  }
  assertEquals(counts, [1, 2, 2, 3, 3, 3]);
  grouped.group.close!();
});

test("checks are spread", async () => {
  let n = 0;
  const grouped = new Grouped(3, { check: { ...CHECK, target: "192.0.2.80:80" } }, { random: () => (n++ % 10) / 10 });
  await grouped.clock.pass(1_000_000);
  const shares = ["a", "b", "c"].map((name) => grouped.log.filter((other) => other === name).length);
  for (const share of shares) assert(share >= 90 && share <= 112, String(shares));
  grouped.group.close!();
});

test("a check that is under way when the group is closed says nothing", async () => {
  const grouped = new Grouped(1, { check: { ...CHECK, target: "192.0.2.80:80" } });
  grouped.ways[0]!.deed = "hang";
  await grouped.clock.pass(1_000);
  grouped.group.close!();
  await grouped.clock.pass(100_000);
  assertEquals([grouped.said, grouped.clock.waiting], [[], 0]);
});

test("the fastest member is found by how long it takes", async () => {
  const grouped = new Grouped(3, { choose: "least-latency" });
  grouped.ways.forEach((way, index) => way.deed = [30, 10, 20][index]! as Deed);
  const chosen: string[] = [];
  for (let n = 0; n < 6; n++) {
    const connecting = grouped.connect();
    await grouped.clock.pass(100);
    chosen.push(await connecting);
  }
  assertEquals(chosen.join(""), "abcbbb");
});

test("a group can do what one of its members can, and asks that one", async () => {
  const able = new Grouped(2, {}, { udp: true });
  const unable = new Grouped(2);
  assertEquals([unable.group.associate, unable.group.bind, able.group.bind], [undefined, undefined, undefined]);
  for (const deed of [proxyFailure("reply", "not-supported", { reply: 7 }), DOWN]) {
    able.log.length = 0;
    able.ways[0]!.deed = deed;
    await able.group.associate!(contextOf(), () => {});
    assertEquals([able.log.join(""), able.said.length], ["ab", deed === DOWN ? 1 : 0]);
  }
});

test("a member that does not look names up leaves it to the next; that there is no such name is an answer", async () => {
  const able = new Grouped(2, {}, { lookups: true });
  able.ways[0]!.deed = proxyFailure("reply", "not-supported", { reply: 7 });
  assertEquals((await able.group.lookup!(TARGET, contextOf())).host, "192.0.2.80");
  assertEquals([able.log.join(""), able.said], ["ab", []]);
  able.ways[0]!.deed = proxyFailure("reply", "unreachable-host", { reply: 4 });
  await assertRejects(() => able.group.lookup!(TARGET, contextOf()), ProxyError);
  assertEquals([able.log.join(""), new Grouped(1).group.lookup], ["aba", undefined]);
});

test("names are kept where all members keep them", () => {
  const clocked = new Grouped(2);
  const other = new Grouped(1, {}, { keepsNames: false });
  const around = { runtime: contextOf().runtime, lookup: () => Promise.resolve([]) };
  const both = [clocked.ways[0]!, other.ways[0]!].map((way, index) => ({ name: `${index}`, way, weight: 1 }));
  assertEquals(groupWay("g", { group: [] }, both, around).keepsNames, false);
  assertEquals(groupWay("g", { group: [] }, both.slice(0, 1), around).keepsNames, true);
});

test("a group within a group is a member like any other", async () => {
  const inner = new Grouped(2);
  const outer = new Grouped(1);
  const said: string[] = [];
  const group = groupWay("outer", { group: ["team", "b"] }, [
    { name: "team", way: inner.group, weight: 1 },
    { name: "b", way: outer.ways[0]!, weight: 1 },
  ], {
    runtime: contextOf().runtime,
    lookup: () => Promise.resolve([]),
    onHealth: ({ member, isUp }) => said.push(`${member} ${isUp}`),
    now: outer.clock.now,
    schedule: outer.clock.schedule,
  });
  assertEquals((await group.connect(TARGET, contextOf())).by, "team/a");
  inner.log.length = 0;
  for (const way of inner.ways) way.deed = DOWN;
  assertEquals((await group.connect(TARGET, contextOf())).by, "b");
  assertEquals([inner.log.join(""), outer.log.join(""), said], ["ab", "a", ["team false"]]);
});

test("whoever is told of the health may fail", async () => {
  const { ways } = new Grouped(2);
  const onHealth = () => {
    throw new Error("it is a test");
  };
  const around = { runtime: contextOf().runtime, lookup: () => Promise.resolve([]), onHealth };
  const group = groupWay("g", { group: [] }, ways.map((way) => ({ name: way.name, way, weight: 1 })), around);
  ways[0]!.deed = DOWN;
  assertEquals((await group.connect(TARGET, contextOf())).by, "b");
});

test("what makes no group is refused", () => {
  const { ways } = new Grouped(1);
  const around = { runtime: contextOf().runtime, lookup: () => Promise.resolve([]) };
  const of = (entry = {}, weight = 1, count = 1) => () =>
    groupWay("g", { group: [], ...entry }, count === 0 ? [] : [{ name: "a", way: ways[0]!, weight }], around);
  assertThrows(of({}, 1, 0), RangeError, "found no members");
  for (const weight of [0, -1, NaN, Infinity]) assertThrows(of({}, weight), RangeError, `found weight ${weight}`);
  for (const every of [0, -1, NaN, 2 ** 31]) assertThrows(of({ check: { every } }), RangeError, "check.every");
  for (const target of ["x", "unix:/x", "x:0"]) assertThrows(of({ check: { target } }), SyntaxError);
});
