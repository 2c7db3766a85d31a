import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { LAST_FRAGMENT, type SocksDatagram } from "../../src/protocol/udp.ts";
import { Fragments } from "../../src/relay/fragments.ts";

const TARGET = { type: "ipv4", host: "93.184.216.34", port: 53 } as const;
const LAST = LAST_FRAGMENT;

const part = (
  fragment: number,
  data: string | Uint8Array,
  target: SocksDatagram["target"] = TARGET,
): SocksDatagram => ({
  fragment,
  target,
  data: typeof data === "string" ? new TextEncoder().encode(data) : data,
});

/** What comes out of fragments added one after the other. */
function feed(parts: readonly (SocksDatagram | [number, SocksDatagram])[]): (string | undefined)[] {
  const fragments = new Fragments();
  let now = 1000;
  return parts.map((part) => {
    if (Array.isArray(part)) now += part[0];
    const whole = fragments.add(Array.isArray(part) ? part[1] : part, now);
    return whole && new TextDecoder().decode(whole);
  });
}

const none = (count: number): undefined[] => new Array(count).fill(undefined);

test("fragments in order make the payload", () => {
  assertEquals(feed([part(1, "a"), part(2, "b"), part(LAST | 3, "c")]), [...none(2), "abc"]);
});

test("a sequence of one fragment is whole at once", () => {
  assertEquals(feed([part(LAST | 1, "a")]), ["a"]);
});

test("fragments may be empty", () => {
  assertEquals(feed([part(1, ""), part(LAST | 2, "")]), [undefined, ""]);
});

test("one sequence after another", () => {
  assertEquals(feed([part(1, "a"), part(LAST | 2, "b"), part(1, "c"), part(LAST | 2, "d")]), [
    undefined,
    "ab",
    undefined,
    "cd",
  ]);
});

test("a gap loses the sequence, not the next one", () => {
  assertEquals(feed([part(1, "a"), part(LAST | 3, "c"), part(1, "x"), part(LAST | 2, "y")]), [...none(3), "xy"]);
});

test("a duplicate is ignored", () => {
  assertEquals(feed([part(1, "a"), part(2, "b"), part(2, "b"), part(LAST | 3, "c")]), [...none(3), "abc"]);
});

test("a lower position starts another sequence", () => {
  assertEquals(feed([part(1, "a"), part(2, "b"), part(1, "x"), part(LAST | 2, "y")]), [...none(3), "xy"]);
  assertEquals(feed([part(1, "a"), part(2, "b"), part(3, "c"), part(2, "x"), part(LAST | 3, "y")]), none(5));
});

test("a sequence cannot begin in the middle", () => {
  assertEquals(feed([part(2, "b"), part(LAST | 3, "c")]), none(2));
  assertEquals(feed([part(LAST | 0, "zero")]), [undefined]);
});

test("fragments for another target begin another sequence", () => {
  const other = { ...TARGET, port: 54 };
  assertEquals(feed([part(1, "a"), part(LAST | 2, "b", other)]), none(2));
  assertEquals(feed([part(1, "a"), part(1, "x", other), part(LAST | 2, "y", other)]), [...none(2), "xy"]);
});

test("a sequence has at least 5 seconds, and not for ever", () => {
  assertEquals(feed([part(1, "a"), [4_999, part(LAST | 2, "b")]]), [undefined, "ab"]);
  assertEquals(feed([part(1, "a"), [60_000, part(LAST | 2, "b")]]), none(2));
});

test("no more is kept than a UDP payload can hold", () => {
  const big = new Uint8Array(40_000);
  assertEquals(feed([part(1, big), part(LAST | 2, big)]), none(2));
  const fits = feed([part(1, big), part(LAST | 2, new Uint8Array(25_507))]);
  assertEquals(fits[1]?.length, 65_507);
});

test("the data is copied, for the datagram's buffer may be used again", () => {
  const fragments = new Fragments();
  const data = Uint8Array.of(1, 2);
  fragments.add(part(1, data), 0);
  data.fill(9);
  assertEquals(fragments.add(part(LAST | 2, Uint8Array.of(3)), 1), Uint8Array.of(1, 2, 3));
});

test("any payload cut into up to 127 fragments is put together again", () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 30 }), { minLength: 1, maxLength: 127 });
  fc.assert(fc.property(pieces, (pieces) => {
    const fragments = new Fragments();
    pieces.forEach((data, i) => {
      const isLast = i === pieces.length - 1;
      const whole = fragments.add(part(i + 1 | (isLast ? LAST : 0), data), i);
      if (!isLast) assertEquals(whole, undefined);
      else assertEquals(whole, Uint8Array.from(pieces.flatMap((piece) => Array.from(piece))));
    });
  }));
});

test("any fragments at all never make more than was put in", () => {
  const anyPart = fc.tuple(fc.integer({ min: 1, max: 255 }), fc.uint8Array({ maxLength: 5 }));
  fc.assert(fc.property(fc.array(anyPart, { maxLength: 40 }), (parts) => {
    const fragments = new Fragments();
    let put = 0;
    for (const [fragment, data] of parts) {
      put += data.length;
      const whole = fragments.add(part(fragment, data), 0);
      if (whole !== undefined) assertEquals(whole.length <= put, true);
    }
  }));
});
