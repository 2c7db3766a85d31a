import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { test } from "node:test";
import { NetError } from "../../src/net/errors.ts";
import { Question } from "../../src/server/question.ts";
import { soon } from "./_harness.ts";

/** A question that the test answers. */
function ask() {
  const answers: { resolve(value: string): void; reject(error: unknown): void; signal: AbortSignal }[] = [];
  let ends = 0;
  const question = new Question<string>(
    (signal) => new Promise((resolve, reject) => answers.push({ resolve, reject, signal })),
    () => ends++,
  );
  return { question, answers, ends: () => ends };
}

const FOREVER = new AbortController().signal;

async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}

test("all who wait get the one answer", async () => {
  const { question, answers, ends } = ask();
  const waits = [question.join(FOREVER), question.join(FOREVER)];
  await turns();
  assertEquals([answers.length, ends()], [1, 0]);
  answers[0]!.resolve("yes");
  assertEquals(await soon(Promise.all(waits)), ["yes", "yes"]);
  assertEquals(ends(), 1);
});

test("all who wait get the one error", async () => {
  const { question, answers, ends } = ask();
  const waits = [question.join(FOREVER), question.join(FOREVER)];
  await turns();
  const error = new NetError("lookup-failed", "no");
  answers[0]!.reject(error);
  for (const wait of waits) assertStrictEquals(await assertRejects(() => wait), error);
  assertEquals(ends(), 1);
});

test("who leaves leaves with his reason, and the others wait on", async () => {
  const { question, answers, ends } = ask();
  const controller = new AbortController();
  const [leaving, staying] = [question.join(controller.signal), question.join(FOREVER)];
  await turns();
  const reason = new NetError("timeout", "too long for me");
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => leaving), reason);
  assertEquals([answers[0]!.signal.aborted, ends()], [false, 0]);
  answers[0]!.resolve("yes");
  assertEquals(await soon(staying), "yes");
});

test("when the last leaves the question is called off", async () => {
  const { question, answers, ends } = ask();
  const controllers = [new AbortController(), new AbortController()];
  const waits = controllers.map(({ signal }) => question.join(signal));
  for (const wait of waits) wait.catch(() => {});
  await turns();
  controllers[0]!.abort();
  assertEquals([answers[0]!.signal.aborted, ends()], [false, 0]);
  controllers[1]!.abort();
  assertEquals([answers[0]!.signal.aborted, ends()], [true, 1]);
  assertEquals((answers[0]!.signal.reason as NetError).code, "aborted");
  answers[0]!.reject(new Error("called off")); // and nobody is there to hear it
  await turns();
});

test("who comes with a signal that has aborted does not wait", async () => {
  const { question } = ask();
  const reason = new NetError("aborted", "never mind");
  assertStrictEquals(await assertRejects(() => question.join(AbortSignal.abort(reason))), reason);
});

test("a signal that aborts after the answer changes nothing", async () => {
  const { question, answers } = ask();
  const controller = new AbortController();
  const wait = question.join(controller.signal);
  await turns();
  answers[0]!.resolve("yes");
  assertEquals(await soon(wait), "yes");
  await turns();
  controller.abort();
  assertEquals(answers[0]!.signal.aborted, false);
});
