import { assert, assertEquals, assertRejects } from "@std/assert";
import { test } from "node:test";
import process from "node:process";
import { argon2Here, type Argon2Job } from "../../src/auth/argon2.ts";
import { startArgon2Thread } from "../../src/auth/argon2_thread.ts";
import { ARGON2_WORKER } from "../../src/auth/argon2_worker.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** What the reference implementation's own tests compute of "password" and "somesalt". */
const CASES: readonly (readonly [Argon2Job, string])[] = [
  [
    { password: encode("password"), salt: encode("somesalt"), memory: 256, passes: 2, lanes: 1, length: 32 },
    "9dfeb910e80bad0311fee20f9c0e2b12c17987b4cac90c2ef54d5b3021c68bfe",
  ],
  [
    { password: encode("password"), salt: encode("somesalt"), memory: 256, passes: 2, lanes: 2, length: 32 },
    "6d093c501fd5999645e0ea3bf620d7b8be7fd2db59c20d9fff9539da2bf57037",
  ],
];

/** Node before 22 reads no TypeScript; the loader that the tests come through has to be told again in a thread. */
function threadModule(): string | undefined {
  const { bun, deno } = process.versions;
  if (bun !== undefined || deno !== undefined) return undefined;
  const tsx = JSON.stringify(import.meta.resolve("tsx/esm/api"));
  const code = `import { register } from ${tsx}; register(); await import(${JSON.stringify(ARGON2_WORKER)});`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}

const start = (idle?: number) => startArgon2Thread({ idle, module: threadModule() });

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

test("argon2id computes what its reference implementation computes, here and in a thread", async () => {
  const thread = await start();
  for (const [job, expected] of CASES) {
    assertEquals(hex(await argon2Here(job)), expected);
    assertEquals(hex(await thread.compute(job)), expected);
  }
  thread.end();
});

test("a thread takes a view of the password and nothing beside it", async () => {
  const thread = await start();
  const [job, expected] = CASES[0]!;
  const buffer = new Uint8Array(100_000);
  buffer.set(job.password, 50_000);
  const password = buffer.subarray(50_000, 50_000 + job.password.length);
  assertEquals(hex(await thread.compute({ ...job, password })), expected);
  thread.end();
});

test("a job that cannot be computed fails, and the next one does not", async () => {
  const thread = await start();
  const [job, expected] = CASES[0]!;
  await assertRejects(() => thread.compute({ ...job, salt: new Uint8Array(1), memory: 1 }), Error, "Cannot compute");
  assertEquals(hex(await thread.compute(job)), expected);
  assertEquals(thread.isOver, false);
  thread.end();
});

test("a thread that is ended computes no more", async () => {
  const thread = await start();
  thread.end();
  assert(thread.isOver);
  await assertRejects(() => thread.compute(CASES[0]![0]), Error, "the thread has ended");
});

test("a thread ends by itself when it has nothing to do, and not while it has", async () => {
  const thread = await start(0);
  // The timer keeps nothing alive, so something else has to.
  const alive = setInterval(() => {}, 1_000);
  const [job, expected] = CASES[0]!;
  if (!thread.isOver) assertEquals(hex(await thread.compute(job)), expected);
  while (!thread.isOver) await new Promise((resolve) => setTimeout(resolve, 1));
  clearInterval(alive);
});

test("there is no thread of a module that is not there, or of a bundle", async () => {
  const missing = new URL("./nowhere/argon2_worker.js", import.meta.url).href;
  await assertRejects(() => startArgon2Thread({ module: missing }));
  await assertRejects(() => startArgon2Thread({ module: "file:///srv/bundle.js" }), Error, "is not the module");
});
