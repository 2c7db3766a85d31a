import { assert, assertEquals } from "@std/assert";
import { test } from "node:test";
import fc from "fast-check";
import { counterKey } from "../../src/policy/counter_key.ts";

test("a key is its parts, and a colon in them cannot make it another", () => {
  assertEquals(counterKey("office", "ada", "month-2026-11-01"), "office:ada:month-2026-11-01");
  assertEquals(counterKey("office", "a:b%"), "office:a%3Ab%25");
  const parts = fc.array(fc.string({ unit: fc.constantFrom(":", "%", "3", "A", "a") }), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(parts, parts, (one, other) => {
    assert((counterKey(...one) === counterKey(...other)) === (JSON.stringify(one) === JSON.stringify(other)));
  }));
});
