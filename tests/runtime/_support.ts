/** What the suites of the contract share. */

import { assert, assertEquals } from "@std/assert";
import { isUnixAddress, type SocketAddress } from "../../src/net/address.ts";
import { NetError, type NetErrorCode } from "../../src/net/errors.ts";
import type { Connection, Duplex, Listener, Runtime } from "../../src/runtime/runtime.ts";
import { duplexOf } from "../../src/stream/duplex_of.ts";
import { ownLoopback } from "./_own_loopback.ts";

/** Both ends of one connection. */
export interface Pair {
  client: Connection;
  server: Connection;
}

/** How long anything may take before a test gives up; nothing is measured by it. */
const PATIENCE = 120_000;

export async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Gave up waiting for ${what}`)), PATIENCE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lets the event loop go round, so that whatever could happen by itself does. */
export async function turns(count = 20): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + PATIENCE;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`Gave up waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export async function assertNetError(promise: Promise<unknown> | undefined, ...codes: NetErrorCode[]): Promise<void> {
  try {
    await inTime(Promise.resolve(promise), codes.join(" or "));
  } catch (error) {
    assert(error instanceof NetError, `a NetError, not ${error}`);
    assert(codes.includes(error.code), `${codes.join(" or ")}, not ${error.code} (${error.message})`);
    return;
  }
  throw new Error(`Expected a NetError ${codes.join(" or ")}`);
}

export async function listen(runtime: Runtime, ip = "127.0.0.1"): Promise<{ listener: Listener; at: SocketAddress }> {
  const listener = await runtime.listen({ address: { ip, port: 0 } });
  assert(!isUnixAddress(listener.address));
  return { listener, at: listener.address };
}

/** Where nobody listens, nor will. */
export async function nobody(runtime: Runtime): Promise<SocketAddress> {
  const { listener, at } = await listen(runtime, ownLoopback());
  listener.close();
  return at;
}

/** The next connection of a listener. */
export async function accept(listener: Listener): Promise<Connection> {
  const { done, value } = await inTime(listener[Symbol.asyncIterator]().next(), "a connection");
  assert(!done);
  return value;
}

/** Runs a test on both ends of a connection, and cleans up. */
export async function withPair(runtime: Runtime, test: (pair: Pair) => Promise<void>): Promise<void> {
  const { listener, at } = await listen(runtime);
  try {
    const [client, server] = await Promise.all([runtime.connect(at), accept(listener)]);
    try {
      await test({ client, server });
    } finally {
      client.close(new Error("test over"));
      server.close(new Error("test over"));
      await inTime(Promise.all([client.closed, server.closed]), "both ends to close");
    }
  } finally {
    listener.close();
  }
}

/** Runs a test on a client and a target with a relay's two connections between them. */
export async function withRelay(
  runtime: Runtime,
  test: (ends: { client: Duplex; target: Duplex; inner: Connection; outer: Connection }) => Promise<void>,
): Promise<void> {
  await withPair(
    runtime,
    ({ client, server: inner }) =>
      withPair(runtime, async ({ client: outer, server: target }) => {
        await test({ client: duplexOf(client), target: duplexOf(target), inner, outer });
      }),
  );
}

export const NOTHING: Uint8Array = new Uint8Array(0);

const PERIOD = 65_521; // a prime: no buffer size hides a shift

const PATTERN = (() => {
  const bytes = new Uint8Array(PERIOD + (1 << 20));
  let state = 0x2545f491;
  for (let i = 0; i < PERIOD; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  for (let i = PERIOD; i < bytes.length; i++) bytes[i] = bytes[i - PERIOD]!;
  return bytes;
})();

/** Bytes `offset` to `offset + length` of an endless pattern. */
export function pattern(offset: number, length: number): Uint8Array {
  const start = offset % PERIOD;
  return PATTERN.subarray(start, start + length);
}

/** Sends the pattern in pieces of random sizes. */
export async function sendPattern(to: Duplex, total: number, largest = 100_000): Promise<void> {
  for (let at = 0; at < total;) {
    const length = Math.min(total - at, 1 + Math.floor(Math.random() * largest));
    await to.write(pattern(at, length));
    at += length;
  }
}

/** Reads to the end and checks each byte against the pattern. Returns how many came. */
export async function readPattern(from: Duplex, pause?: () => Promise<void>): Promise<number> {
  let at = 0;
  for (;;) {
    const bytes = await inTime(from.read(), "bytes");
    if (bytes === null) return at;
    checkPattern(bytes, at);
    at += bytes.length;
    await pause?.();
  }
}

export function checkPattern(bytes: Uint8Array, offset: number): void {
  for (let at = 0; at < bytes.length; at += 1 << 20) {
    const piece = bytes.subarray(at, at + (1 << 20));
    const expected = pattern(offset + at, piece.length);
    for (let i = 0; i < piece.length; i++) {
      if (piece[i] !== expected[i]) throw new Error(`Byte ${offset + at + i} is ${piece[i]}, not ${expected[i]}`);
    }
  }
}

/** Reads exactly `length` bytes, which must be all that comes of them in one or more reads. */
export async function readExactly(from: Duplex, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const piece = await inTime(from.read(), "bytes");
    assert(piece !== null, `the end came after ${at} of ${length} bytes`);
    assert(at + piece.length <= length, "more came than was sent");
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}

export async function assertEnd(from: Duplex): Promise<void> {
  assertEquals(await inTime(from.read(), "the end"), null);
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? "(end)" : new TextDecoder().decode(bytes);
}

/** How long a write has to be pending to be taken for one that waits for a reader, in milliseconds. */
const STALLED = 300;

/**
 * Writes until a write stays pending while the event loop goes round, for longer than the system holds back what a
 * reader has acknowledged. Returns that write and how much was written.
 */
export async function writeUntilPending(to: Duplex): Promise<{ pending: Promise<void>; written: number }> {
  for (let written = 0; written < 256 << 20;) {
    const write = to.write(pattern(written, 65_536));
    written += 65_536;
    if (write === undefined) continue;
    let settled = false;
    const noted = write.finally(() => settled = true);
    noted.catch(() => {});
    const started = performance.now();
    for (let i = 0; !settled && (i < 50 || performance.now() - started < STALLED); i++) await turns(1);
    if (!settled) return { pending: write, written };
  }
  throw new Error("No backpressure within 256 MiB");
}
