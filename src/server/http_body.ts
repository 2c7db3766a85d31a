/**
 * Bodies of HTTP messages, handed on as they come.
 *
 * @module
 */

import { type Decoder, ProtocolError } from "../protocol/decoded.ts";
import { NetError } from "../net/errors.ts";
import type { Channel } from "../stream/channel.ts";
import type { Framing } from "./http_framing.ts";
import { badMessage, bytesOf, encodeHead, headDecoder, MAX_HEAD, parseFields, textOf } from "../protocol/http_head.ts";

/** The most bytes of a chunk's first line. */
const MAX_CHUNK_LINE = 256;
const CHUNK_LINE =
  /^([0-9A-Fa-f]{1,13})(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"[\t !#-[\]-~]*"))?)*$/;
/** What a trailer cannot say any more. */
const NOT_IN_TRAILERS =
  /^(?:connection|content-length|host|transfer-encoding|te|trailer|upgrade|keep-alive|proxy-.*)$/i;

/** Takes bytes of a body. They must not change until it is done. */
export type WriteBody = (bytes: Uint8Array) => Promise<void> | undefined;

/**
 * Hands a body on. Chunks are written anew, without their extensions: what is not understood is not handed on.
 *
 * @param from Where it comes from; what follows it stays there.
 * @param framing How it ends.
 * @param write Where it goes.
 * @param asChunks Whether chunks stay chunks, or become the bytes in them.
 * @throws {ProtocolError} `http` or `too-long`, for chunks that are none.
 * @throws {NetError} `closed` if it ends too early, and whatever reading and writing throw.
 */
export async function copyBody(from: Channel, framing: Framing, write: WriteBody, asChunks = true): Promise<void> {
  if (framing === "close") return await copyToEnd(from, write);
  if (framing === "chunked") return await copyChunks(from, write, asChunks);
  await copyLength(from, framing, write);
}

async function copyToEnd(from: Channel, write: WriteBody): Promise<void> {
  for (let chunk: Uint8Array | null = from.takeRest(); chunk !== null; chunk = await from.readChunk()) {
    if (chunk.length > 0) await write(chunk);
  }
}

async function copyLength(from: Channel, length: number, write: WriteBody): Promise<void> {
  for (let left = length; left > 0;) {
    const bytes = await from.read(upTo(left), 1);
    await write(bytes);
    left -= bytes.length;
  }
}

/** What is there, but not more than `count`. */
function upTo(count: number): Decoder<Uint8Array> {
  return (bytes) => {
    if (bytes.length === 0) return undefined;
    const length = Math.min(count, bytes.length);
    return { value: bytes.subarray(0, length), length };
  };
}

async function copyChunks(from: Channel, write: WriteBody, asChunks: boolean): Promise<void> {
  for (;;) {
    let left = await from.read(decodeChunkLine, MAX_CHUNK_LINE);
    if (left === 0) break;
    while (left > 0) {
      const bytes = await from.read(upTo(left), 1);
      await write(asChunks ? chunkOf(bytes) : bytes);
      left -= bytes.length;
    }
    await from.read(decodeLineEnd, 2);
  }
  const trailers = parseFields(await from.read(headDecoder(), MAX_HEAD));
  if (trailers.some(({ name }) => NOT_IN_TRAILERS.test(name))) throw badMessage("found a trailer that cannot be one");
  if (asChunks) await write(concat(bytesOf("0\r\n"), encodeHead(undefined, trailers)));
}

function chunkOf(bytes: Uint8Array): Uint8Array {
  return concat(bytesOf(`${bytes.length.toString(16)}\r\n`), bytes, bytesOf("\r\n"));
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The first line of a chunk; its value is the size. */
const decodeChunkLine: Decoder<number> = (bytes) => {
  const end = bytes.indexOf(0x0a);
  if (end > MAX_CHUNK_LINE) throw new ProtocolError("too-long", "Cannot read a chunk: its first line is too long");
  const cr = bytes.indexOf(0x0d);
  if (end < 0 && (cr < 0 || cr === bytes.length - 1)) return undefined;
  const match = end > 0 && cr === end - 1 ? CHUNK_LINE.exec(textOf(bytes.subarray(0, cr))) : null;
  if (match === null) throw badMessage("the first line of a chunk is none");
  return { value: Number.parseInt(match[1]!, 16), length: end + 1 };
};

const decodeLineEnd: Decoder<true> = (bytes) => {
  if (bytes.length > 0 && bytes[0] !== 0x0d || bytes.length > 1 && bytes[1] !== 0x0a) {
    throw badMessage("a chunk is longer than it says");
  }
  return bytes.length < 2 ? undefined : { value: true, length: 2 };
};

/** A body that ends before its end. */
export function isCut(error: unknown): boolean {
  return error instanceof NetError && (error.code === "closed" || error.code === "reset");
}
