/**
 * Whether bytes come through.
 *
 * @module
 */

import type { Duplex } from "../runtime/runtime.ts";
import { NoGood } from "./check_finding.ts";
import { Wish } from "./check_target.ts";

/** Some bytes that the target sends back: with the wish first, and each value once. */
export function sample(length = 257): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_value, at) => at === 0 ? Wish.ECHO : at & 0xff);
}

/**
 * Sends bytes to a target that sends them back, and reads them.
 *
 * @param end The way to the target.
 * @param bytes What is sent; `undefined` if it has been sent already.
 * @param expected What comes back.
 * @throws {NoGood} If it is something else.
 */
export async function carries(end: Duplex, bytes: Uint8Array | undefined, expected: Uint8Array): Promise<void> {
  if (bytes !== undefined) await end.write(bytes);
  for (let at = 0; at < expected.length;) {
    const chunk = await end.read();
    if (chunk === null) throw new NoGood("no", at === 0 ? "the connection ends without a byte" : "bytes are missing");
    for (const byte of chunk) if (byte !== expected[at++]) throw new NoGood("no", "bytes come back changed");
  }
}

/** Reads to the end. */
export async function restOf(end: Duplex): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for (let chunk = await end.read(); chunk !== null; chunk = await end.read()) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > MAX_REST) throw new NoGood("no", "it sends more than the target did");
  }
  return text;
}

const MAX_REST = 1024;
