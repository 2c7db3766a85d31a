import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { test } from "node:test";
import type { GssapiContext, Unwrapped } from "../../src/auth/gssapi_context.ts";
import { gssapiDatagrams } from "../../src/auth/gssapi_datagrams.ts";
import { GssapiDuplex, type GssapiProtection } from "../../src/auth/gssapi_duplex.ts";
import { GssapiFrames } from "../../src/auth/gssapi_frames.ts";
import { NetError } from "../../src/net/errors.ts";
import { encodeGssapiFrame, GssapiMessage } from "../../src/protocol/gssapi.ts";
import type { Duplex } from "../../src/runtime/runtime.ts";

/** What reads these chunks, in memory that the next read writes over, and keeps what is written. */
function stream(chunks: readonly Uint8Array[]) {
  const memory = new Uint8Array(300_000);
  const queue = [...chunks];
  const written: Uint8Array[] = [];
  const calls: string[] = [];
  const duplex: Duplex = {
    read: () => {
      const chunk = queue.shift();
      if (chunk === undefined) return Promise.resolve(null);
      memory.fill(0xee).set(chunk);
      return Promise.resolve(memory.subarray(0, chunk.length));
    },
    write: (bytes) => void written.push(bytes),
    closeWrite: () => void calls.push("closeWrite"),
    close: (reason) => void calls.push(`close ${reason ?? ""}`),
  };
  return { duplex, written, calls };
}

/** A context that adds a letter for how it was wrapped and a number. */
class Toy implements GssapiContext {
  released = 0;
  #next = 0;
  #seen = -1;

  wrap(data: Uint8Array, confidential: boolean, frame: (length: number) => Uint8Array): Uint8Array {
    const bytes = frame(data.length + 2);
    bytes.set([confidential ? 1 : 0, this.#next++ & 0xff, ...data], bytes.length - data.length - 2);
    return bytes;
  }

  unwrap(token: Uint8Array): Unwrapped {
    if (this.released > 0) throw new NetError("closed", "released");
    if (token.length < 2) throw new NetError("unknown", "no token");
    const number = token[1]!;
    const last = this.#seen;
    this.#seen = Math.max(last, number);
    return {
      data: token.slice(2),
      confidential: token[0] === 1,
      replayed: number <= last,
      outOfOrder: number > last + 1,
    };
  }

  release(): void {
    this.released++;
  }
}

function protection(confidential = true): GssapiProtection & { readonly context: Toy } {
  return { context: new Toy(), confidential, hasDatagrams: false };
}

const frame = (...token: number[]) => encodeGssapiFrame(GssapiMessage.DATA, Uint8Array.from(token));

async function everything(duplex: Duplex): Promise<number[]> {
  const bytes: number[] = [];
  for (let chunk = await duplex.read(); chunk !== null; chunk = await duplex.read()) bytes.push(...chunk);
  return bytes;
}

function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...places, bytes.length].map((end, index) => bytes.slice(index === 0 ? 0 : places[index - 1], end))
    .filter(({ length }) => length > 0);
}

test("messages come off a stream wherever it is cut", async () => {
  const messages = fc.array(
    fc.record({ type: fc.constantFrom(1, 2, 3), token: fc.uint8Array({ maxLength: 300 }) }),
    { maxLength: 12 },
  );
  await fc.assert(fc.asyncProperty(messages, fc.array(fc.nat(), { maxLength: 30 }), async (wanted, at) => {
    const bytes = Uint8Array.from(wanted.flatMap(({ type, token }) => [...encodeGssapiFrame(type, token)]));
    const frames = new GssapiFrames(stream(cut(bytes, at)).duplex);
    for (const { type, token } of wanted) {
      const next = await frames.next();
      assertEquals([next?.type, [...next!.token]], [type, [...token]]);
    }
    assertEquals(await frames.next(), null);
  }));
});

test("any bytes off a stream end well, are refused, or end too soon", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 90 }), { maxLength: 9 }), async (chunks) => {
      const frames = new GssapiFrames(stream(chunks.filter(({ length }) => length > 0)).duplex);
      try {
        while (await frames.next() !== null);
      } catch (error) {
        if (!(error instanceof NetError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});

test("what is written comes out at the other end, in pieces of 32 KiB at most", async () => {
  for (const size of [1, 32_768, 32_769, 200_000]) {
    const data = new Uint8Array(size).map((_, index) => index * 31);
    const { duplex: base, written } = stream([]);
    await new GssapiDuplex(base, protection()).write(data);
    assertEquals(written.length, Math.ceil(size / 32_768));
    const other = new GssapiDuplex(stream(written).duplex, protection());
    assertEquals(Uint8Array.from(await everything(other)), data);
  }
});

test("no piece is made before the one ahead of it has left", async () => {
  const { duplex: base } = stream([]);
  const pending: (() => void)[] = [];
  const slow: Duplex = { ...base, write: () => new Promise<void>((resolve) => pending.push(resolve)) };
  const writing = new GssapiDuplex(slow, protection()).write(new Uint8Array(100_000))!;
  for (let made = 1; made <= 4; made++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals(pending.length, made);
    pending.at(-1)!();
  }
  await writing;
});

test("the end of one direction is passed on, and a close lets go of the context", () => {
  const { duplex: base, calls } = stream([]);
  const kept = protection();
  const duplex = new GssapiDuplex(base, kept);
  assertEquals(duplex.write(new Uint8Array(0)), undefined);
  duplex.closeWrite();
  assertEquals(kept.context.released, 0);
  duplex.close(new Error("gone"));
  assertEquals([calls, kept.context.released], [["closeWrite", "close Error: gone"], 1]);
});

test("empty tokens are skipped, and are no end", async () => {
  assertEquals(await everything(new GssapiDuplex(stream([frame(1, 0), frame(1, 1, 9)]).duplex, protection())), [9]);
});

test("tokens that came before, are missing, or are in the clear at level 2 end it", async () => {
  const fails = async (chunks: Uint8Array[], confidential = true) =>
    (await assertRejects(() => everything(new GssapiDuplex(stream(chunks).duplex, protection(confidential))), NetError))
      .message;
  assertEquals(await fails([frame(1, 0, 5), frame(1, 0, 5)]), "Cannot go on with GSSAPI: found a token a second time");
  assertEquals(
    await fails([frame(1, 0, 5), frame(1, 2, 5)]),
    "Cannot go on with GSSAPI: found a token out of its order",
  );
  assertEquals(
    await fails([frame(0, 0, 5)]),
    "Cannot go on with GSSAPI: found a token in the clear, expected it enciphered",
  );
  assertEquals(await everything(new GssapiDuplex(stream([frame(0, 0, 5)]).duplex, protection(false))), [5]);
  assertEquals(await fails([frame(1)]), "no token");
  assertEquals(
    await fails([frame(1, 0, 5).subarray(0, 6)]),
    "Cannot read a GSSAPI message: the stream ended in the middle of it",
  );
  assertEquals(
    await fails([encodeGssapiFrame(GssapiMessage.TOKEN, Uint8Array.of(1, 0))]),
    "Cannot go on with GSSAPI: found a message of type 1, expected data",
  );
});

test("datagrams go in one token each; those that came before, or are none, are dropped", () => {
  const [here, there] = [gssapiDatagrams(protection()), gssapiDatagrams(protection())];
  const [first, second, third] = [1, 2, 3].map((byte) => here.wrap(Uint8Array.of(byte)));
  assertEquals(there.unwrap(second!), Uint8Array.of(2));
  assertEquals(there.unwrap(second!), undefined);
  assertEquals(there.unwrap(third!), Uint8Array.of(3));
  assertEquals(there.unwrap(first!), undefined); // the toy knows no window
  for (
    const wrong of [[], [1], [1, 3, 0, 9, 1], [1, 3, 0, 0, 7], [1, 1, 0, 2, 1, 9], [5, 0], [1, 255], [
      1,
      3,
      0,
      3,
      0,
      9,
      9,
    ]]
  ) {
    assertEquals(there.unwrap(Uint8Array.from(wrong)), undefined, `${wrong}`);
  }
});

test("where datagrams use the context, tokens of the stream may have gaps between them", async () => {
  const kept = protection();
  gssapiDatagrams(kept).unwrap(frame(1, 0, 1));
  assertEquals(await everything(new GssapiDuplex(stream([frame(1, 5, 9)]).duplex, kept)), [9]);
});
