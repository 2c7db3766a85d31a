import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import { NetError } from "../../src/net/errors.ts";
import { type Decoder, ProtocolError } from "../../src/protocol/decoded.ts";
import { Channel } from "../../src/stream/channel.ts";
import { pipe } from "../server/_pipe.ts";

const text = (bytes: Uint8Array | null) => bytes === null ? "the end" : new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);

/** A length, and as many bytes of text. */
const word: Decoder<string> = (input) => {
  if (input.length < 1) return undefined;
  const end = 1 + input[0]!;
  return input.length < end ? undefined : { value: text(input.subarray(1, end)), length: end };
};

const encodeWord = (value: string) => Uint8Array.of(value.length, ...bytes(value));

test("messages are read whatever the chunks they arrive in", async () => {
  const words = fc.array(fc.stringMatching(/^[a-z]{0,40}$/), { maxLength: 8 });
  const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 });
  await fc.assert(fc.asyncProperty(words, sizes, async (words, sizes) => {
    const [far, near] = pipe();
    const channel = new Channel(near);
    const all = Uint8Array.from(words.flatMap((word) => Array.from(encodeWord(word))).concat(...bytes("rest")));
    const send = async () => {
      for (let at = 0, i = 0; at < all.length; at += sizes[i++ % sizes.length]!) {
        await far.write(all.subarray(at, at + sizes[i % sizes.length]!));
      }
      far.closeWrite();
    };
    const sending = send();
    for (const expected of words) assertEquals(await channel.read(word, 256), expected);
    let rest = text(channel.takeRest());
    for (let chunk = await channel.readChunk(); chunk !== null; chunk = await channel.readChunk()) rest += text(chunk);
    assertEquals(rest, "rest");
    await sending;
  }));
});

test("peek leaves the byte where it is", async () => {
  const [far, near] = pipe();
  const channel = new Channel(near);
  await far.write(encodeWord("one"));
  assertEquals(await channel.peek(), 3);
  assertEquals(await channel.peek(), 3);
  assertEquals(await channel.read(word, 256), "one");
});

test("peek tells of an end before the first byte", async () => {
  const [far, near] = pipe();
  far.closeWrite();
  assertEquals(await new Channel(near).peek(), undefined);
});

test("an end in the middle of a message is an error", async () => {
  const [far, near] = pipe();
  await far.write(Uint8Array.of(5, 1));
  far.closeWrite();
  const error = await assertRejects(() => new Channel(near).read(word, 256), NetError);
  assertEquals(error.code, "closed");
});

test("a message without an end within its limit is refused, and no more of it is read", async () => {
  const [far, near] = pipe({ capacity: 1_000_000 });
  const channel = new Channel(near);
  for (let i = 0; i < 50; i++) await far.write(new Uint8Array(10));
  const error = await assertRejects(() => channel.read(() => undefined, 100), ProtocolError);
  assertEquals(error.fault, "too-long");
  assertEquals(near.unread, 400);
});

test("what a decoder throws reaches the reader", async () => {
  const [far, near] = pipe();
  await far.write(Uint8Array.of(1));
  const decode: Decoder<never> = () => {
    throw new ProtocolError("version", "no");
  };
  await assertRejects(() => new Channel(near).read(decode, 10), ProtocolError);
});

test("a reset reaches the reader", async () => {
  const [far, near] = pipe();
  const reading = new Channel(near).read(word, 10);
  far.close(new Error("crash"));
  assertEquals((await assertRejects(() => reading, NetError)).code, "reset");
});

test("the rest can be taken once", async () => {
  const [far, near] = pipe();
  const channel = new Channel(near);
  await far.write(Uint8Array.of(...encodeWord("a"), ...bytes("later")));
  assertEquals(await channel.read(word, 256), "a");
  assertEquals(text(channel.takeRest()), "later");
  assertEquals(text(channel.takeRest()), "");
});

test("a read that was begun is the next reader's", async () => {
  const [far, near] = pipe();
  const channel = new Channel(near);
  const begun = channel.beginRead();
  assertEquals(channel.beginRead(), begun);
  await far.write(bytes("first"));
  assertEquals(text(await begun), "first");
  assertEquals(text(await channel.readChunk()), "first");
  await far.write(bytes("second"));
  assertEquals(text(await channel.readChunk()), "second");
});

test("a read that was begun does not spoil what was read before", async () => {
  const [far, near] = pipe();
  const channel = new Channel(near);
  await far.write(Uint8Array.of(...encodeWord("a"), ...bytes("early")));
  assertEquals(await channel.read(word, 256), "a");
  const begun = channel.beginRead();
  await far.write(bytes("late"));
  await begun;
  assertEquals(text(channel.takeRest()), "early");
  assertEquals(text(await channel.readChunk()), "late");
});
