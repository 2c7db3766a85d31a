import { assertEquals, assertRejects } from "@std/assert";
import { test } from "node:test";
import type { Argon2Job } from "../../src/auth/argon2.ts";
import { argon2Pool } from "../../src/auth/argon2_pool.ts";
import type { Argon2Thread } from "../../src/auth/argon2_thread.ts";

/** A job told from others by its length. */
const job = (length: number): Argon2Job => ({
  password: new Uint8Array(1),
  salt: new Uint8Array(8),
  memory: 8,
  passes: 1,
  lanes: 1,
  length,
});

/** Threads that finish a job when the test says so. */
class Threads {
  readonly started: FakeThread[] = [];
  /** The lengths of the jobs, in the order in which they began. */
  readonly begun: number[] = [];

  start = (): Promise<Argon2Thread> => {
    const thread = new FakeThread(this.begun);
    this.started.push(thread);
    return Promise.resolve(thread);
  };

  /** Lets everything happen that can. */
  settle(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, 0));
  }
}

class FakeThread implements Argon2Thread {
  isOver = false;
  finish: () => void = () => {};
  fail: (error: Error) => void = () => {};
  readonly #begun: number[];

  constructor(begun: number[]) {
    this.#begun = begun;
  }

  compute({ length }: Argon2Job): Promise<Uint8Array> {
    this.#begun.push(length);
    return new Promise((resolve, reject) => {
      this.finish = () => resolve(new Uint8Array(length));
      this.fail = reject;
    });
  }

  end(): void {
    this.isOver = true;
  }
}

test("threads start when they are needed, and no more than were asked for", async () => {
  const threads = new Threads();
  const argon2 = argon2Pool({ threads: 2, start: threads.start });
  await threads.settle();
  assertEquals(threads.started.length, 0);
  const done = [1, 2, 3, 4].map((length) => argon2(job(length)));
  await threads.settle();
  assertEquals([threads.started.length, threads.begun], [2, [1, 2]]);
  threads.started[1]!.finish();
  await threads.settle();
  assertEquals(threads.begun, [1, 2, 3]);
  threads.started[1]!.finish();
  threads.started[0]!.finish();
  await threads.settle();
  threads.started[1]!.finish();
  assertEquals((await Promise.all(done)).map((hash) => hash.length), [1, 2, 3, 4]);
});

test("one job after another is done by one thread, so that the others may end", async () => {
  const threads = new Threads();
  const argon2 = argon2Pool({ threads: 2, start: threads.start });
  for (const length of [1, 2, 3]) {
    const done = argon2(job(length));
    await threads.settle();
    threads.started[0]!.finish();
    await done;
    await threads.settle();
  }
  assertEquals(threads.started.length, 1);
});

test("another thread takes the place of one that has ended", async () => {
  const threads = new Threads();
  const argon2 = argon2Pool({ threads: 1, start: threads.start });
  const first = argon2(job(1));
  await threads.settle();
  threads.started[0]!.isOver = true;
  threads.started[0]!.fail(new Error("out of memory"));
  await assertRejects(() => first, Error, "out of memory");
  const second = argon2(job(2));
  await threads.settle();
  assertEquals(threads.started.length, 2);
  threads.started[1]!.finish();
  assertEquals((await second).length, 2);
});

test("jobs beyond the queue's length are refused at once", async () => {
  const threads = new Threads();
  const argon2 = argon2Pool({ threads: 1, waiting: 2, start: threads.start });
  const first = argon2(job(1));
  await threads.settle();
  const waiting = [argon2(job(2)), argon2(job(3))];
  await assertRejects(() => argon2(job(4)), Error, "2 others wait");
  for (let i = 0; i < 3; i++) {
    threads.started[0]!.finish();
    await threads.settle();
  }
  assertEquals((await Promise.all([first, ...waiting])).length, 3);
  const later = argon2(job(5));
  await threads.settle();
  threads.started[0]!.finish();
  assertEquals((await later).length, 5);
});

test("a job that nobody waits for any more is dropped, and makes room", async () => {
  const threads = new Threads();
  const argon2 = argon2Pool({ threads: 1, waiting: 1, start: threads.start });
  const first = argon2(job(1));
  await threads.settle();
  const gone = new AbortController();
  const dropped = argon2(job(2), gone.signal);
  gone.abort(new Error("the client left"));
  await assertRejects(() => dropped, Error, "the client left");
  const kept = argon2(job(3));
  threads.started[0]!.finish();
  await threads.settle();
  threads.started[0]!.finish();
  await Promise.all([first, kept]);
  assertEquals(threads.begun, [1, 3]);
  await assertRejects(() => argon2(job(4), gone.signal), Error, "the client left");
});

test("where there are no threads it computes all the same, one job after the other, and tries once", async () => {
  let tried = 0;
  let running = 0;
  const most: number[] = [];
  const argon2 = argon2Pool({
    threads: 1,
    start: () => {
      tried++;
      return Promise.reject(new Error("no threads here"));
    },
    fallback: async ({ length }) => {
      most.push(++running);
      await Promise.resolve();
      running--;
      return new Uint8Array(length);
    },
  });
  const done = await Promise.all([1, 2, 3].map((length) => argon2(job(length))));
  assertEquals(done.map((hash) => hash.length), [1, 2, 3]);
  assertEquals([tried, most], [1, [1, 1, 1]]);
});
