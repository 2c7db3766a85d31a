import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { GROUP_CHOICES } from "../../src/upstream/upstream.ts";
import { Grouped, proxyFailure } from "./_ways.ts";

const DOWN = proxyFailure("dial", "refused");
const FIRST = 1_000, LONGEST = 8_000;

/** What happens: a proxy goes or comes back, time goes by, a session is opened. */
const event = fc.oneof(
  fc.record({ member: fc.nat(3), works: fc.boolean() }),
  fc.record({ pass: fc.integer({ min: 1, max: 10_000 }) }),
  fc.constant({ connect: true }),
);

/** What is known of a member from outside. */
interface Known {
  isUp: boolean;
  pause: number;
  retryAt: number;
}

test("whatever comes and goes: who works is found, and who is known to be down is left alone for its pause", async () => {
  const choices = fc.constantFrom(...GROUP_CHOICES);
  const events = fc.array(event, { minLength: 10, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(choices, events, fc.nat(), async (choose, events, seed) => {
      const random = () => {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        return seed / 2 ** 32;
      };
      const grouped = new Grouped(4, { choose, check: { every: FIRST, longestPause: LONGEST } }, { random });
      const works = grouped.ways.map(() => true);
      const known = grouped.ways.map((): Known => ({ isUp: true, pause: 0, retryAt: 0 }));
      for (const event of events) {
        if ("member" in event) {
          works[event.member] = event.works;
          grouped.ways[event.member]!.deed = event.works ? 0 : DOWN;
        } else if ("pass" in event) await grouped.clock.pass(event.pass);
        else {
          const now = grouped.clock.now();
          const mayBeTried = known.map(({ isUp, retryAt }) => isUp || now >= retryAt);
          const [tried, phase] = (await grouped.connect()).split(": ");
          const indices = Array.from(tried!, (name) => "abcd".indexOf(name));
          assertEquals(new Set(indices).size, indices.length);
          assertEquals(phase === undefined, works.includes(true));
          // Those that are to be left alone come after all others.
          const order = indices.map((index) => mayBeTried[index]!);
          assertEquals(order, [...order].sort((a, b) => Number(b) - Number(a)));
          if (order.includes(false)) assertEquals(order.filter(Boolean).length, mayBeTried.filter(Boolean).length);
          for (const index of indices) {
            const member = known[index]!;
            if (works[index]) Object.assign(member, { isUp: true, pause: 0 });
            else {
              const pause = member.isUp ? FIRST : Math.min(LONGEST, 2 * member.pause);
              Object.assign(member, { isUp: false, pause, retryAt: now + pause });
            }
          }
        }
      }
      assert(grouped.clock.waiting === 0, "nothing is left behind");
    }),
    { numRuns: 300 },
  );
});
