import { assertEquals, assertRejects } from "@std/assert";
import { test } from "node:test";
import { NoAnswer, openPrompt } from "../../src/cli/prompt.ts";

/** Streams that say these chunks, and keep what happens to them. */
class Streams {
  readonly input: AsyncIterable<Uint8Array> & { isTTY: boolean; setRawMode(isRaw: boolean): void };
  readonly output = { write: (text: string) => this.log.push(text) };
  readonly log: unknown[] = [];

  constructor(isTTY: boolean, chunks: readonly (string | Uint8Array)[]) {
    const log = this.log;
    const encoder = new TextEncoder();
    this.input = {
      isTTY,
      setRawMode: (isRaw) => log.push(isRaw),
      async *[Symbol.asyncIterator]() {
        try {
          for (const chunk of chunks) {
            yield await Promise.resolve(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
          }
        } finally {
          log.push("end");
        }
      },
    };
  }
}

test("a person is asked, and what is secret is read without echo", async () => {
  const streams = new Streams(true, ["ada\n", "love", "lace\rlove", "lace\r"]);
  const prompt = openPrompt(streams);
  assertEquals(prompt.isLive, true);
  assertEquals(await prompt.ask("Name: ", false), "ada");
  assertEquals(await prompt.ask("Password: ", true), "lovelace");
  assertEquals(await prompt.ask("Again: ", true), "lovelace");
  assertEquals(streams.log, ["Name: ", true, "Password: ", false, "\n", true, "Again: ", false, "\n"]);
  prompt.close();
});

test("echo is on again after Ctrl+C and after the end", async () => {
  const interrupted = new Streams(true, ["lov\x03"]);
  const error = await assertRejects(() => openPrompt(interrupted).ask("Password: ", true), NoAnswer, "interrupted");
  assertEquals(error.isInterrupt, true);
  assertEquals(interrupted.log, [true, "Password: ", false, "\n"]);
  for (const chunks of [["\x04"], []]) {
    const streams = new Streams(true, chunks);
    const { isInterrupt } = await assertRejects(
      () => openPrompt(streams).ask("? ", true),
      NoAnswer,
      "nothing was typed",
    );
    assertEquals([isInterrupt, streams.log.includes(false)], [false, true]);
  }
});

test("a program is not asked: its lines are read, and its terminal is let be", async () => {
  const streams = new Streams(false, ["lovelace\r", "\n\xe9t\xe9", "\nlast"]);
  const prompt = openPrompt(streams);
  assertEquals(prompt.isLive, false);
  assertEquals(await prompt.ask("Password: ", true), "lovelace");
  assertEquals(await prompt.ask("Password: ", true), "été");
  assertEquals(await prompt.ask("Password: ", true), "last");
  await assertRejects(() => prompt.ask("Password: ", true), NoAnswer, "standard input has ended");
  assertEquals(streams.log, ["end"]);
});

test("a character may come in pieces", async () => {
  const [a, b] = [Uint8Array.of(0xc3), Uint8Array.of(0xa9, 0x0a)];
  assertEquals(await openPrompt(new Streams(false, [a, b])).ask("", true), "é");
});

test("a line without an end is not read for ever", async () => {
  const prompt = openPrompt(new Streams(false, ["x".repeat(5_000)]));
  await assertRejects(() => prompt.ask("", true), NoAnswer, "too long");
});

test("a prompt that is closed reads no more", async () => {
  const streams = new Streams(false, ["a\n", "b\n"]);
  const prompt = openPrompt(streams);
  prompt.close(); // nothing was asked: there is nothing to close
  assertEquals(await prompt.ask("", true), "a");
  prompt.close();
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(streams.log, ["end"]);
});
