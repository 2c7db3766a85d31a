import { test } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { NetError } from "../../src/net/errors.ts";
import { ProtocolError } from "../../src/protocol/decoded.ts";
import type { Duplex } from "../../src/runtime/runtime.ts";
import { copyBody } from "../../src/server/http_body.ts";
import type { Framing } from "../../src/server/http_framing.ts";
import { bytesOf, textOf } from "../../src/protocol/http_head.ts";
import { Channel } from "../../src/stream/channel.ts";
import { BAD_CHUNKS } from "./_http_corpus.ts";

/** A channel that reads these pieces, each into the memory of the one before, as runtimes may. */
function channelOf(pieces: readonly string[]): Channel {
  const rest = pieces.filter((piece) => piece !== "");
  const slab = new Uint8Array(Math.max(1, ...rest.map(({ length }) => length)));
  const read = (): Promise<Uint8Array | null> => {
    const piece = rest.shift();
    slab.fill(0x21);
    if (piece === undefined) return Promise.resolve(null);
    slab.set(bytesOf(piece));
    return Promise.resolve(slab.subarray(0, piece.length));
  };
  return new Channel({ read } as Duplex);
}

/** What is handed on, and what stays. */
async function copied(pieces: readonly string[], framing: Framing, asChunks = true): Promise<[string, string]> {
  const channel = channelOf(pieces);
  let text = "";
  await copyBody(channel, framing, (bytes) => {
    text += textOf(bytes);
    return undefined;
  }, asChunks);
  return [text, textOf(channel.takeRest())];
}

/** The same text in two pieces, cut at every place. */
function* cuts(text: string): Generator<readonly string[]> {
  for (let at = 0; at < text.length; at++) yield [text.slice(0, at), text.slice(at)];
  yield [...text];
}

test("a body with a length ends there, and what follows stays", async () => {
  for (const pieces of cuts("abcdefNEXT")) {
    const [body, rest] = await copied(pieces, 6);
    assertEquals(body, "abcdef");
    assert("NEXT".startsWith(rest), rest);
  }
  assertEquals(await copied(["NEXT"], 0), ["", ""]);
});

test("chunks are what they are, wherever they are cut", async () => {
  const said = '3;a="b;c";d\r\nabc\r\nA\r\n0123456789\r\n000\r\nX-Sum: 1\r\n\r\n';
  for (const pieces of cuts(`${said}NEXT`)) {
    assertEquals((await copied(pieces, "chunked", false))[0], "abc0123456789");
    const [written, rest] = await copied(pieces, "chunked");
    assert("NEXT".startsWith(rest), rest);
    assert(written.endsWith("\r\n0\r\nX-Sum: 1\r\n\r\n"), written);
    assertEquals((await copied([written], "chunked", false))[0], "abc0123456789");
  }
});

test("a body that ends with its connection is all of it", async () => {
  assertEquals(await copied(["abc", "def"], "close"), ["abcdef", ""]);
});

test("a body that ends before its end is cut off", async () => {
  for (const [framing, text] of [[4, "abc"], ["chunked", "3\r\nab"], ["chunked", "3\r\nabc\r\n0\r\n"]] as const) {
    const error = await assertRejects(() => copied([text], framing), NetError);
    assertEquals(error.code, "closed");
  }
});

for (const [what, chunks] of Object.entries(BAD_CHUNKS)) {
  test(`chunks are refused: ${what}`, async () => {
    for (const pieces of cuts(chunks)) await assertRejects(() => copied(pieces, "chunked"), ProtocolError);
  });
}

test("any bytes in any chunks come through as they are", async () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map(textOf);
  await fc.assert(
    fc.asyncProperty(fc.array(bytes, { maxLength: 6 }), fc.array(fc.nat(200), { maxLength: 8 }), async (chunks, at) => {
      const said = chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join("") + "0\r\n\r\n";
      const places = [0, ...at.map((place) => Math.min(place, said.length)).sort((a, b) => a - b), said.length];
      const pieces = places.slice(1).map((end, index) => said.slice(places[index], end));
      assertEquals((await copied(pieces, "chunked", false))[0], chunks.join(""));
      const [written] = await copied(pieces, "chunked");
      assertEquals((await copied([written], "chunked", false))[0], chunks.join(""));
    }),
  );
});
