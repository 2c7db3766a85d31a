import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { test } from "node:test";
import { NetError, type NetErrorCode } from "../../src/net/errors.ts";
import { type Answer, type CacheOptions, LookupCache } from "../../src/server/lookup_cache.ts";
import { soon } from "./_harness.ts";

type Reply = Answer | NetErrorCode | Promise<Answer>;

const ASKER = { signal: new AbortController().signal };

/** A cache over a table that the test writes, with a clock that the test turns. */
class Scene {
  /** Milliseconds. */
  time = 1_000_000;
  readonly asked: string[] = [];
  readonly signals: AbortSignal[] = [];
  readonly replies = new Map<string, Reply>();
  readonly cache: LookupCache;

  constructor(options: CacheOptions = {}) {
    const ask = async (name: string, signal: AbortSignal): Promise<Answer> => {
      this.asked.push(name);
      this.signals.push(signal);
      const reply = this.replies.get(name) ?? { ips: ["192.0.2.1"] };
      if (typeof reply === "string") throw new NetError(reply, `Cannot look up "${name}": ${reply}`);
      return await reply;
    };
    this.cache = new LookupCache(ask, options, () => this.time);
  }

  /** What the cache says of a name, as text. */
  async find(name: string): Promise<string> {
    try {
      return (await this.cache.lookup(name, ASKER)).join(" ");
    } catch (error) {
      assert(error instanceof NetError);
      return error.code;
    }
  }

  /** How often somebody has to be asked for a name. */
  async asks(name: string): Promise<number> {
    const before = this.asked.length;
    await this.find(name);
    return this.asked.length - before;
  }
}

test("an answer is given again, at once, until its time is over", async () => {
  const scene = new Scene();
  scene.replies.set("www.example", { ips: ["192.0.2.1", "2001:db8::1"], ttl: 60_000 });
  assertEquals(await scene.find("www.example"), "192.0.2.1 2001:db8::1");
  scene.replies.set("www.example", { ips: ["192.0.2.2"], ttl: 60_000 });
  scene.time += 59_999;
  assertEquals(scene.cache.lookup("www.example", ASKER), ["192.0.2.1", "2001:db8::1"]);
  scene.time += 1;
  assertEquals(await scene.find("www.example"), "192.0.2.2");
  assertEquals(scene.asked, ["www.example", "www.example"]);
});

test("the use of an answer does not make it last longer", async () => {
  const scene = new Scene();
  scene.replies.set("a", { ips: ["192.0.2.1"], ttl: 10_000 });
  await scene.find("a");
  for (let i = 0; i < 9; i++) {
    scene.time += 1_000;
    assertEquals(await scene.asks("a"), 0);
  }
  scene.time += 1_000;
  assertEquals(await scene.asks("a"), 1);
});

test("an answer that does not say how long it is good is good for 10 s", async () => {
  const scene = new Scene();
  await scene.find("a");
  scene.time += 9_999;
  assertEquals(await scene.asks("a"), 0);
  scene.time += 1;
  assertEquals(await scene.asks("a"), 1);
});

test("no answer is kept for less than minTtl or for more than maxTtl", async () => {
  const scene = new Scene({ minTtl: 5_000, maxTtl: 20_000 });
  scene.replies.set("short", { ips: ["192.0.2.1"], ttl: 0 });
  scene.replies.set("long", { ips: ["192.0.2.1"], ttl: 86_400_000 });
  for (const [name, ttl] of [["short", 5_000], ["long", 20_000]] as const) {
    await scene.find(name);
    scene.time += ttl - 1;
    assertEquals(await scene.asks(name), 0, name);
    scene.time += 1;
    assertEquals(await scene.asks(name), 1, name);
  }
});

test("an answer for no time at all is not kept", async () => {
  const scene = new Scene();
  scene.replies.set("a", { ips: ["192.0.2.1"], ttl: 0 });
  assertEquals([await scene.asks("a"), await scene.asks("a"), scene.cache.size], [1, 1, 0]);
});

test("that a name does not exist is remembered for negativeTtl", async () => {
  const scene = new Scene({ negativeTtl: 3_000 });
  scene.replies.set("nobody", "name-not-found").set("empty", { ips: [], ttl: 60_000 });
  for (const name of ["nobody", "empty"]) {
    assertEquals(await scene.find(name), "name-not-found");
    scene.time += 2_999;
    assertEquals(await scene.asks(name), 0);
    assertEquals(await scene.find(name), "name-not-found");
    scene.time += 1;
    assertEquals(await scene.asks(name), 1);
  }
});

test("a failure is remembered for a second, and for less if absence is", async () => {
  for (const [options, ttl] of [[{}, 1_000], [{ negativeTtl: 200 }, 200]] as const) {
    const scene = new Scene(options);
    scene.replies.set("a", "lookup-failed");
    assertEquals(await scene.find("a"), "lookup-failed");
    scene.time += ttl - 1;
    assertEquals(await scene.asks("a"), 0);
    scene.time += 1;
    assertEquals(await scene.asks("a"), 1);
  }
});

test("nothing is remembered of what does not exist if negativeTtl is 0, nor of what went wrong otherwise", async () => {
  const scene = new Scene({ negativeTtl: 0 });
  scene.replies.set("nobody", "name-not-found").set("failing", "lookup-failed");
  for (const name of ["nobody", "failing"]) assertEquals([await scene.asks(name), await scene.asks(name)], [1, 1]);
  const other = new Scene();
  other.replies.set("odd", "unknown").set("late", "aborted");
  for (const name of ["odd", "late"]) assertEquals([await other.asks(name), await other.asks(name)], [1, 1]);
});

test("those who ask at the same time ask once, and no answer of one name is another's", async () => {
  const scene = new Scene();
  scene.replies.set("b", { ips: ["192.0.2.2"] });
  const found = await soon(Promise.all(["a", "b", "a", "a", "b"].map((name) => scene.find(name))));
  assertEquals(found, ["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.1", "192.0.2.2"]);
  assertEquals(scene.asked, ["a", "b"]);
});

test("who no longer waits does not spoil the answer for the others", async () => {
  const scene = new Scene();
  let answer = (_: Answer): void => {};
  scene.replies.set("a", new Promise<Answer>((resolve) => answer = resolve));
  const controller = new AbortController();
  const reason = new NetError("timeout", "too long for me");
  const leaving = scene.cache.lookup("a", { signal: controller.signal }) as Promise<unknown>;
  const staying = scene.find("a");
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => leaving), reason);
  answer({ ips: ["192.0.2.9"] });
  assertEquals(await soon(staying), "192.0.2.9");
  assertEquals(await scene.asks("a"), 0);
});

test("when nobody waits any more, asking ends, and the next one asks anew", async () => {
  const scene = new Scene();
  scene.replies.set("a", new Promise<Answer>(() => {}));
  const controller = new AbortController();
  const leaving = scene.cache.lookup("a", { signal: controller.signal }) as Promise<unknown>;
  await Promise.resolve();
  controller.abort(new NetError("aborted", "never mind"));
  await assertRejects(() => leaving, NetError);
  assertEquals(scene.signals.map(({ aborted }) => aborted), [true]);
  scene.replies.set("a", { ips: ["192.0.2.9"] });
  assertEquals(await soon(scene.find("a")), "192.0.2.9");
  assertEquals(scene.asked.length, 2);
});

test("the name that nobody has asked for the longest is forgotten first", async () => {
  const scene = new Scene({ entries: 3 });
  for (const name of ["a", "b", "c"]) await scene.find(name);
  assertEquals(await scene.asks("a"), 0); // now b is the oldest
  await scene.find("d");
  assertEquals(scene.cache.size, 3);
  assertEquals(await scene.asks("a"), 0);
  assertEquals(await scene.asks("c"), 0);
  assertEquals(await scene.asks("b"), 1);
});

test("a name in use is not forgotten, however many others come", async () => {
  const scene = new Scene({ entries: 20 });
  for (let n = 0; n < 200; n++) {
    await scene.find(`n${n}`);
    assertEquals(await scene.asks("a"), n === 0 ? 1 : 0);
  }
});

test("however many names are asked for, no more are remembered", async () => {
  const scene = new Scene({ entries: 100 });
  scene.replies.set("n7", "name-not-found");
  for (let n = 0; n < 1_000; n++) await scene.find(`n${n}`);
  assertEquals(scene.cache.size, 100);
});

test("of a name with no end of addresses, 64 are kept", async () => {
  const scene = new Scene();
  scene.replies.set("a", { ips: Array.from({ length: 500 }, (_, n) => `2001:db8::${n}`) });
  assertEquals((await scene.find("a")).split(" ").length, 64);
  assertEquals((await scene.find("a")).split(" ").length, 64);
});

test("whoever gets an answer cannot change it for the next", async () => {
  const scene = new Scene();
  await scene.find("a");
  const found = scene.cache.lookup("a", ASKER) as string[];
  assertThrows(() => found.push("127.0.0.1"), TypeError);
});

test("options that make no sense are refused, with what would", () => {
  const message = (options: CacheOptions) => assertThrows(() => new Scene(options), RangeError).message;
  const place = "Cannot use resolver.cache";
  assertEquals(message({ entries: 0 }), `${place}.entries: found 0, expected a whole number of at least 1`);
  assertEquals(message({ minTtl: -1 }), `${place}.minTtl: found -1, expected a number of milliseconds`);
  assertEquals(message({ maxTtl: NaN }), `${place}.maxTtl: found NaN, expected a number of milliseconds`);
  assertEquals(message({ negativeTtl: -5 }), `${place}.negativeTtl: found -5, expected a number of milliseconds`);
  assertEquals(
    message({ minTtl: 60, maxTtl: 30 }),
    `${place}.maxTtl: found 30, expected at least minTtl, which is 60`,
  );
});
