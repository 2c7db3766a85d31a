import {
  assert,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertInstanceOf,
  AssertionError,
  assertLess,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";
import { throws } from "node:assert/strict";
import { describe, test } from "node:test";

/** Fails unless the assertion does; built upon node:assert, so that nothing vouches for itself. */
const refuses = (assertion: () => void) => throws(assertion, AssertionError);

describe("the stand-in for @std/assert", () => {
  test("equality is deep, by value and type", () => {
    assertEquals({ a: [1, new Uint8Array([2, 3])], b: new Map([["x", new Set([1, 2])]]) }, {
      a: [1, new Uint8Array([2, 3])],
      b: new Map([["x", new Set([2, 1])]]),
    });
    assertEquals(NaN, NaN);
    assertEquals(0, -0);
    assertEquals(Object.assign(Object.create(null), { a: 1 }), { a: 1 });
    refuses(() => assertEquals<unknown>(1, "1"));
    refuses(() => assertEquals<unknown>({ a: undefined }, {}));
    refuses(() => assertEquals([1, 2], [2, 1]));
    refuses(() => assertEquals([1], [1, 2]));
    refuses(() => assertEquals<unknown>(new Uint8Array([1]), [1]));
    refuses(() => assertEquals(new Uint8Array([1, 2]), new Uint8Array([1, 3])));
    refuses(() => assertEquals(new Map([["a", 1]]), new Map([["a", 2]])));
    refuses(() => assertEquals(new Set([1]), new Set([2])));
    refuses(() => assertEquals(new Error("a"), new Error("b")));
    assertNotEquals([1], [2]);
    refuses(() => assertNotEquals({ a: 1 }, { a: 1 }));
  });

  test("a cycle equals its like", () => {
    const cycle = (value: number) => {
      const made: Record<string, unknown> = { value };
      made.self = made;
      return made;
    };
    assertEquals(cycle(1), cycle(1));
    refuses(() => assertEquals(cycle(1), cycle(2)));
  });

  test("strict equality is identity", () => {
    assertStrictEquals(NaN, NaN);
    refuses(() => assertStrictEquals([1], [1]));
    refuses(() => assertStrictEquals(0, -0));
  });

  test("assertThrows checks class and message, and returns the error", () => {
    const error = new RangeError("too far");
    const thrower = () => {
      throw error;
    };
    assertStrictEquals(assertThrows(thrower), error);
    assertStrictEquals(assertThrows(thrower, RangeError, "far"), error);
    refuses(() => assertThrows(() => 1));
    refuses(() => assertThrows(thrower, TypeError));
    refuses(() => assertThrows(thrower, RangeError, "near"));
    refuses(() =>
      assertThrows(() => {
        throw "text";
      }, Error)
    );
  });

  test("assertRejects wants a promise that rejects", async () => {
    const error = new TypeError("no");
    assertStrictEquals(await assertRejects(() => Promise.reject(error), TypeError, "no"), error);
    await assertRejects(() => assertRejects(() => Promise.resolve()), AssertionError, "to reject");
    await assertRejects(() => assertRejects(() => Promise.reject(error), RangeError), AssertionError);
    await assertRejects(
      () =>
        assertRejects(() => {
          throw error;
        }),
      AssertionError,
      "throws when expected to reject",
    );
  });

  test("single values", () => {
    assert(1);
    refuses(() => assert(0));
    assertFalse(0);
    refuses(() => assertFalse(1));
    assertExists(0);
    refuses(() => assertExists(null));
    assertInstanceOf([], Array);
    refuses(() => assertInstanceOf({}, Array));
    assertMatch("abc", /b/);
    refuses(() => assertMatch("abc", /d/));
    assertStringIncludes("abc", "b");
    refuses(() => assertStringIncludes("abc", "d"));
    assertGreater(2, 1);
    refuses(() => assertGreater(1, 1));
    assertLess(1n, 2n);
    refuses(() => assertLess(1, 1));
    refuses(() => fail("always"));
  });
});
