import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { NetError } from "../../src/net/errors.ts";
import { memory } from "../../src/runtime/memory.ts";
import type { WayFacilities } from "../../src/upstream/facilities.ts";
import type { Upstreams } from "../../src/upstream/members_first.ts";
import { openWays, type Ways } from "../../src/upstream/ways.ts";
import { targetOf } from "../../src/protocol/address.ts";
import type { RequestInfo } from "../../src/policy/rules.ts";

/** Facilities that write down where they lead, and get there never. */
function facilities(name: string, led: string[] = []): WayFacilities {
  return {
    runtime: memory(),
    lookup: (host) => (led.push(`${name} looks ${host} up`), Promise.resolve(["192.0.2.1"])),
    dial: () => Promise.reject(new NetError("refused", "it is a test")),
    dialProxy: ([first]) => {
      led.push(`${name} dials ${first!.ip}:${first!.port}`);
      return Promise.reject(new NetError("refused", "it is a test"));
    },
  };
}

/** Checks that are scheduled and not called off. */
function schedule() {
  const open = new Set<() => void>();
  return {
    open,
    schedule: (callback: () => void) => {
      open.add(callback);
      return () => void open.delete(callback);
    },
  };
}

const A = { proxy: "socks5h://a.example" };
const B = { proxy: ["socks5://b.example", "http://b2.example"] };

test("ways are found by name: direct is none, block is always there", () => {
  const ways = openWays({ a: A, b: B }, { facilities: facilities("x") });
  assertEquals([ways.find(undefined), ways.find("direct")], [undefined, undefined]);
  assertEquals([ways.find("block")?.name, ways.find("a")?.name, ways.find("b")?.name], ["block", "a", "b"]);
  assertThrows(() => ways.find("c"), NetError, 'found "c"');
  assertThrows(() => ways.find("toString"), NetError);
  assertEquals(ways.names, ["a", "b"]);
  ways.check(undefined, "via");
  ways.check("block", "via");
  assertThrows(
    () => ways.check("c", "via"),
    RangeError,
    'Cannot use via: found "c", expected "direct", "block", "a", "b"',
  );
});

test("what a way can do, and whether it keeps names, is said by its proxies", () => {
  const of = (proxy: string | string[]) => {
    const way = openWays({ a: { proxy } }, { facilities: facilities("x") }).find("a")!;
    return [way.keepsNames, way.bind !== undefined, way.associate !== undefined];
  };
  assertEquals(of("socks4://h"), [false, true, false]);
  assertEquals(of("socks4a://h"), [true, true, false]);
  assertEquals(of("socks5://h"), [false, true, true]);
  assertEquals(of("socks5h://h"), [true, true, true]);
  assertEquals(of("http://h"), [true, false, false]);
  assertEquals(of(["http://h", "socks5h://h"]), [true, true, false]);
  assertEquals(of(["socks5h://h", "socks4://h"]), [false, true, false]);
});

test("names are kept if any way keeps them", () => {
  const keep = (upstreams: Upstreams) => openWays(upstreams, { facilities: facilities("x") }).keepNames;
  assertEquals(keep({}), false);
  assertEquals(keep({ a: { proxy: "socks5://a" } }), false);
  assertEquals(keep({ a: { proxy: "socks5://a" }, b: A }), true);
  assertEquals(keep({ a: { proxy: "socks5://a" }, b: { group: ["a", "direct"] } }), false);
});

test("groups come after their members, in whatever order they are written", () => {
  const ways = openWays({ outer: { group: ["inner", "b"] }, inner: { group: ["a"] }, b: B, a: A }, {
    facilities: facilities("x"),
  });
  assertEquals(ways.names, ["a", "inner", "b", "outer"]);
  assertEquals(ways.find("outer")!.keepsNames, true);
});

test("after a change, ways that are written as before are the same, groups only with the same members", () => {
  const upstreams = { a: A, b: B, both: { group: ["a", "b"] }, one: { group: ["b"] }, far: { group: ["both"] } };
  const before = openWays(upstreams, { facilities: facilities("x") });
  const change = (more: Upstreams) =>
    openWays({ ...upstreams, ...more }, { facilities: facilities("y"), previous: before });
  const same = (ways: Ways) => Object.keys(upstreams).filter((name) => ways.find(name) === before.find(name));
  assertEquals(same(change({})), ["a", "b", "both", "one", "far"]);
  assertEquals(same(change({ a: { proxy: "socks5h://other.example" } })), ["b", "one"]);
  assertEquals(same(change({ one: { group: ["b"], choose: "random" } })), ["a", "b", "both", "far"]);
  assertEquals(same(change({ b: { ...B, isolate: { user: "{user}" } } })), ["a"]);
});

test("those that stay reach others by what is there now, from the moment on that is said", async () => {
  const led: string[] = [];
  const before = openWays({ a: A }, { facilities: facilities("old", led) });
  const after = openWays({ a: A, b: A }, { facilities: facilities("new", led), previous: before });
  assertStrictEquals(after.find("a"), before.find("a"));
  const request = {} as RequestInfo;
  const signal = new AbortController().signal;
  const dial = async (ways: Ways, name: string): Promise<string[]> => {
    led.length = 0;
    const context = { request, signal, runtime: memory(), keepsName: true, addresses: () => Promise.resolve([]) };
    await ways.find(name)!.connect(targetOf("target.example", 443), context).catch(() => {});
    return [...led];
  };
  assertEquals(await dial(after, "a"), ["old looks a.example up", "old dials 192.0.2.1:1080"]);
  after.use(facilities("new", led));
  assertEquals(await dial(before, "a"), ["new looks a.example up", "new dials 192.0.2.1:1080"]);
  assertEquals(await dial(after, "b"), ["new looks a.example up", "new dials 192.0.2.1:1080"]);
});

test("what is closed ends its checks, and what others still have does not", () => {
  const { open, schedule: later } = schedule();
  const check = { target: "check.example:80" };
  const upstreams = { a: A, b: B, one: { group: ["a"], check }, two: { group: ["b"], check } };
  const options = { facilities: facilities("x"), schedule: later };
  const before = openWays(upstreams, options);
  assertEquals(open.size, 2);
  const after = openWays({ a: A, one: upstreams.one }, { ...options, previous: before });
  assertEquals(open.size, 2);
  before.close(after);
  assertEquals(open.size, 1);
  // One that makes no sense leaves nothing behind, and takes nothing along.
  const wrong = { ...upstreams, a: A, two: { group: ["b"], check }, z: { proxy: "nonsense" } };
  assertThrows(() => openWays(wrong, { ...options, previous: after }), RangeError, "Cannot use upstreams.z.proxy: ");
  assertEquals(open.size, 1);
  after.close();
  assertEquals(open.size, 0);
});
