import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { Pacer } from "../../src/policy/pacer.ts";
import { SessionPace } from "../../src/policy/session_pace.ts";
import { TokenBucket } from "../../src/policy/token_bucket.ts";
import { FakeTimers } from "./_fake_timers.ts";
import { Stream } from "./_stream.ts";

const KIB = 1024, MIB = 1024 * KIB;

/** Buckets with a time of their own. */
function setUp(rates: readonly number[], late = 0) {
  const timers = new FakeTimers(late);
  const pacer = new Pacer(timers);
  const buckets = rates.map((rate) => new TokenBucket(rate, pacer));
  const paceOf = (...through: TokenBucket[]) => new SessionPace(through, through, pacer);
  return { timers, pacer, buckets, paceOf };
}

/** Starts streams. */
function start(paces: readonly SessionPace[], chunk = 64 * KIB): Stream[] {
  return paces.map((pace) => {
    const stream = new Stream(pace, chunk);
    stream.go();
    return stream;
  });
}

function assertNear(found: number, expected: number, part = 0.05): void {
  assert(Math.abs(found - expected) <= part * expected, `${found} is not within ${part * 100} % of ${expected}`);
}

test("ten seconds carry ten seconds' worth, at any rate, on time or late", () => {
  for (const rate of [1000, 64 * KIB, MIB, 100 * MIB, 1000 * MIB]) {
    for (const late of [0, 7, 90, 200]) {
      for (const chunk of [100, 1460, 64 * KIB, 4 * MIB]) {
        if (rate / chunk > 50_000) continue;
        const { timers, buckets, paceOf } = setUp([rate], late);
        const [stream] = start([paceOf(buckets[0]!)], chunk);
        timers.advance(10_000);
        assertNear(stream!.sent, 10 * rate);
      }
    }
  }
});

test("the first second carries no more than the others", () => {
  const { timers, buckets, paceOf } = setUp([MIB]);
  timers.advance(60_000); // a rest saves nothing up
  const [stream] = start([paceOf(buckets[0]!)]);
  assertNear(stream!.sent, MIB / 20);
  timers.advance(1000);
  assertNear(stream!.sent, MIB, 0.06);
});

test("three streams get the same, whatever they write at once", () => {
  for (const rate of [64 * KIB, MIB, 100 * MIB]) {
    const { timers, buckets, paceOf } = setUp([rate]);
    const streams = [1460, 16 * KIB, 256 * KIB].map((chunk) => start([paceOf(buckets[0]!)], chunk)[0]!);
    timers.advance(10_000);
    for (const { sent } of streams) assertNear(sent, 10 * rate / 3);
  }
});

test("nobody starves among many at a low rate", () => {
  const { timers, buckets, paceOf } = setUp([64 * KIB]);
  const streams = start(Array.from({ length: 100 }, () => paceOf(buckets[0]!)));
  timers.advance(20_000);
  const sent = streams.map(({ sent }) => sent);
  assert(Math.max(...sent) - Math.min(...sent) < 4 * KIB, `${Math.min(...sent)} to ${Math.max(...sent)}`);
});

test("what an idle stream leaves goes to the others", () => {
  const { timers, buckets, paceOf } = setUp([MIB]);
  const [first, second] = start([paceOf(buckets[0]!), paceOf(buckets[0]!)]);
  timers.advance(1000);
  first!.isStopped = true;
  const before = second!.sent;
  timers.advance(10_000);
  assertNear(second!.sent - before, 10 * MIB);
});

test("a session under several buckets gets the least of them, and the others lose nothing", () => {
  const { timers, buckets: [wide, narrow], paceOf } = setUp([MIB, 64 * KIB]);
  const [slow, fast] = start([paceOf(wide!, narrow!), paceOf(wide!)]);
  timers.advance(10_000);
  assertNear(slow!.sent, 640 * KIB);
  assertNear(fast!.sent, 10 * MIB - 640 * KIB);
});

test("a session gets its share of each bucket that others press into", () => {
  const { timers, buckets: [left, right], paceOf } = setUp([MIB, MIB]);
  const [both, inLeft, inRight] = start([paceOf(left!, right!), paceOf(left!), paceOf(right!)]);
  timers.advance(10_000);
  assertNear(both!.sent, 5 * MIB);
  assertNear(inLeft!.sent, 5 * MIB);
  assertNear(inRight!.sent, 5 * MIB);
});

test("the two ways of a session are apart", () => {
  const { timers, pacer, buckets: [up, down] } = setUp([64 * KIB, MIB]);
  const pace = new SessionPace([up!], [down!], pacer);
  const streams = [new Stream(pace, MIB, true), new Stream(pace, MIB, false)];
  for (const stream of streams) stream.go();
  timers.advance(10_000);
  assertNear(streams[0]!.sent, 640 * KIB);
  assertNear(streams[1]!.sent, 10 * MIB);
});

test("a session that ends gives back what it has, and is called back", () => {
  const { timers, buckets: [wide, narrow], paceOf } = setUp([MIB, 1]);
  const pace = paceOf(wide!, narrow!);
  let calls = 0;
  while (pace.take(1000, true) > 0);
  pace.wait(true, () => calls++);
  const [other] = start([paceOf(wide!)]);
  pace.end();
  timers.advance(1000);
  assertEquals(calls, 1);
  assertNear(other!.sent, MIB, 0.06);
  other!.isStopped = true;
  timers.advance(1000);
  assert(wide!.isRested(timers.now()));
  assertEquals(timers.running, 0);
  assertEquals(pace.take(MIB, true), MIB);
});

test("the timer runs only while somebody waits", () => {
  const { timers, buckets, paceOf } = setUp([MIB]);
  const pace = paceOf(buckets[0]!);
  assertEquals(pace.take(1000, true), 1000);
  assertEquals(timers.running, 0);
  const [stream] = start([pace]);
  assertEquals(timers.running, 1);
  timers.advance(1000);
  assertEquals(timers.running, 1);
  stream!.isStopped = true;
  timers.advance(1000);
  assertEquals(timers.running, 0);
});

test("a second wait replaces the first", () => {
  const { timers, buckets, paceOf } = setUp([MIB]);
  const pace = paceOf(buckets[0]!);
  while (pace.take(MIB, true) > 0);
  const calls: string[] = [];
  pace.wait(true, () => calls.push("first"));
  pace.wait(true, () => calls.push("second"));
  timers.advance(1000);
  assertEquals(calls, ["second"]);
});

test("a stream that asks for little now and then takes nothing from one that wants all", () => {
  const { timers, buckets, paceOf } = setUp([MIB]);
  const [stream] = start([paceOf(buckets[0]!)]);
  const pace = paceOf(buckets[0]!);
  let small = 0;
  const ask = (): void => {
    const leave = pace.take(100, true);
    small += leave;
    if (leave === 0) pace.wait(true, ask);
  };
  for (let i = 0; i < 50; i++) {
    ask();
    timers.advance(200);
  }
  assertEquals(small, 5000);
  assertNear(stream!.sent, 10 * MIB, 0.01);
});

test("what was set aside for streams that do not come back goes to the others", () => {
  const { timers, buckets, paceOf } = setUp([MIB]);
  const [stream] = start([paceOf(buckets[0]!)]);
  for (let i = 0; i < 200; i++) {
    const pace = paceOf(buckets[0]!);
    assertEquals(pace.take(100, true), 0);
    pace.wait(true, () => pace.take(100, true));
  }
  timers.advance(10_000);
  assertNear(stream!.sent, 10 * MIB, 0.02);
});

test("a fast bucket sets aside no more for a session than its slow one lets through", () => {
  const { timers, buckets: [wide, ...narrow], paceOf } = setUp([MIB, ...Array.from({ length: 10 }, () => KIB)]);
  const [fast, ...slow] = start([paceOf(wide!), ...narrow.map((bucket) => paceOf(wide!, bucket))]);
  timers.advance(10_000);
  for (const { sent } of slow) assertNear(sent, 10 * KIB);
  assertNear(fast!.sent, 10 * MIB - 100 * KIB);
});

test("a session under two buckets with long queues keeps what it got in one until it is its turn in the other", () => {
  const { timers, buckets: [left, right], paceOf } = setUp([20 * KIB, 20 * KIB]);
  const others = Array.from({ length: 40 }, (_, i) => paceOf(i % 2 === 0 ? left! : right!));
  const [both] = start([paceOf(left!, right!), ...others]);
  timers.advance(60_000);
  assertNear(both!.sent, 60 * 20 * KIB / 21, 0.5);
});

test("an open bucket counts nothing, and whoever waits for it goes on when it opens", () => {
  const { timers, buckets, paceOf } = setUp([KIB]);
  buckets[0]!.isOpen = true;
  const pace = paceOf(buckets[0]!);
  assertEquals(pace.take(MIB, true), MIB);
  buckets[0]!.isOpen = false;
  while (pace.take(MIB, true) > 0);
  let leave = 0;
  pace.wait(true, () => leave = pace.take(MIB, true));
  buckets[0]!.isOpen = true;
  timers.advance(10);
  assertEquals(leave, MIB);
});

test("another rate holds from when it is set", () => {
  const { timers, buckets, paceOf } = setUp([MIB]);
  const [stream] = start([paceOf(buckets[0]!)]);
  timers.advance(1000);
  const before = stream!.sent;
  buckets[0]!.rate = 64 * KIB;
  timers.advance(10_000);
  assertNear(stream!.sent - before, 640 * KIB, 0.1);
});

test("a datagram goes as a whole or is dropped, and drops take nothing", () => {
  const { timers, buckets, paceOf } = setUp([64 * KIB]);
  const pace = paceOf(buckets[0]!);
  let sent = 0;
  for (let i = 0; i < 10_000; i++) {
    for (let j = 0; j < 3; j++) if (pace.takeAll(1400, true)) sent += 1400;
    timers.advance(1);
  }
  assertNear(sent, 640 * KIB);
});

test("a datagram larger than the bucket goes, and those after it wait until that is made up for", () => {
  const { timers, buckets, paceOf } = setUp([10_000]);
  const pace = paceOf(buckets[0]!);
  assert(pace.takeAll(20_000, true));
  assert(!pace.takeAll(10, true));
  timers.advance(1900);
  assert(!pace.takeAll(10, true));
  timers.advance(100);
  assert(pace.takeAll(10, true));
});

test("datagrams and streams share", () => {
  const { timers, buckets, paceOf } = setUp([MIB]);
  const [stream] = start([paceOf(buckets[0]!)]);
  const [first, second] = [paceOf(buckets[0]!), paceOf(buckets[0]!)];
  const sent = [0, 0];
  for (let i = 0; i < 20_000; i++) {
    if (first.takeAll(1400, true)) sent[0]! += 1400;
    if (second.takeAll(1400, true)) sent[1]! += 1400;
    timers.advance(0.5);
  }
  assertNear(stream!.sent + sent[0]! + sent[1]!, 10 * MIB);
  for (const bytes of [stream!.sent, ...sent]) assertNear(bytes, 10 * MIB / 3, 0.2);
});

test("never does more go than the rate times the time, and what is there after a rest", () => {
  const action = fc.oneof(
    fc.record({ type: fc.constant("take" as const), session: fc.nat(3), bytes: fc.integer({ min: 1, max: 300_000 }) }),
    fc.record({ type: fc.constant("all" as const), session: fc.nat(3), bytes: fc.integer({ min: 0, max: 65_507 }) }),
    fc.record({ type: fc.constant("wait" as const), session: fc.nat(3), bytes: fc.constant(0) }),
    fc.record({ type: fc.constant("end" as const), session: fc.nat(3), bytes: fc.constant(0) }),
    fc.record({ type: fc.constant("pass" as const), session: fc.constant(0), bytes: fc.nat(400) }),
  );
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 1, max: 5_000_000 }), { minLength: 1, maxLength: 3 }),
    fc.array(action, { maxLength: 200 }),
    fc.nat(300),
    (rates, actions, late) => {
      const { timers, buckets, paceOf } = setUp(rates, late);
      const sent = rates.map(() => 0), largest = rates.map(() => 0);
      // Each session leaves out another bucket, if there is more than one.
      const through = [0, 1, 2, 3].map((i) => rates.map((_, at) => at).filter((at) => rates.length === 1 || at !== i));
      const paces = through.map((ats) => paceOf(...ats.map((at) => buckets[at]!)));
      const count = (session: number, bytes: number, size: number): void => {
        for (const at of through[session]!) {
          sent[at]! += bytes;
          largest[at] = Math.max(largest[at]!, size);
        }
      };
      for (const { type, session, bytes } of actions) {
        const pace = paces[session]!;
        if (type === "take") {
          const leave = pace.take(bytes, true);
          assert(leave >= 0 && leave <= bytes && Number.isInteger(leave), `${leave}`);
          count(session, leave, 0);
        } else if (type === "all") count(session, pace.takeAll(bytes, true) ? bytes : 0, bytes);
        else if (type === "wait") {
          pace.wait(true, () => {
            const leave = pace.take(1, true);
            count(session, leave, 0);
          });
        } else if (type === "end") {
          pace.end();
          paces[session] = paceOf(...through[session]!.map((at) => buckets[at]!));
        } else timers.advance(bytes);
        rates.forEach((rate, at) => {
          const most = Math.max(rate / 20, 1) + timers.now() * rate / 1000 + largest[at]! + 1e-6;
          assert(sent[at]! <= most, `${sent[at]} bytes at ${rate} a second in ${timers.now()} ms`);
        });
      }
    },
  ));
});
