import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import fc from "fast-check";
import { ipFromBytes, parseIp } from "../../src/net/address.ts";
import type { Target } from "../../src/protocol/address.ts";
import { type Decoder, ProtocolError } from "../../src/protocol/decoded.ts";

/** Bytes from hexadecimal text: `05 01 00`. */
export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text.trim().split(/\s+/).filter((part) => part !== ""), (part) => parseInt(part, 16));
}

/** The bytes of ASCII text. */
export function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Joins bytes. */
export function join(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => Array.from(part)));
}

/** Any message of up to `size` bytes. */
export function anyBytes(size: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ maxLength: size });
}

/** Garbage that begins as a message might, since most decoders refuse the first byte of anything else. */
export function almost(prefixes: readonly (readonly number[])[], size: number): fc.Arbitrary<Uint8Array> {
  return fc.tuple(fc.constantFrom(...prefixes), fc.nat(), anyBytes(size))
    .map(([prefix, cut, rest]) => join(prefix.slice(0, cut % (prefix.length + 1)), rest));
}

/** Any name that the wire can hold and that is no IP address. */
export const anyName: fc.Arbitrary<string> = fc.oneof(
  fc.domain().filter((name) => name.length <= 255),
  fc.string({ unit: "binary", minLength: 1, maxLength: 80 }),
  fc.stringMatching(/^[a-z0-9._-]{1,255}$/),
).filter((name) => {
  const length = ascii(name).length;
  return length >= 1 && length <= 255 && !/[\p{C}\p{Z}]/u.test(name) && parseIp(name) === undefined;
});

/** Any target in the form that a decoder gives. */
export const anyTarget: fc.Arbitrary<Target> = fc.tuple(
  fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }).map(ipFromBytes),
    fc.uint8Array({ minLength: 16, maxLength: 16 }).map(ipFromBytes),
    fc.constantFrom("::", "::1", "2001:db8::1", "fe80::1", "127.0.0.1", "0.0.0.0"),
  ).map((host) => ({ type: host.includes(":") ? "ipv6" as const : "ipv4" as const, host })),
  anyName.map((host) => ({ type: "name" as const, host })),
  fc.boolean(),
  fc.integer({ min: 0, max: 65535 }),
).map(([ip, name, isName, port]) => ({ ...(isName ? name : ip), port }));

/** Every strict prefix of the message asks for more, and what follows it is left alone. */
export function assertFramed<T>(decode: Decoder<T>, message: Uint8Array, value: T): void {
  for (let length = 0; length < message.length; length++) {
    assertEquals(decode(message.slice(0, length)), undefined, `the first ${length} bytes`);
  }
  assertEquals(decode(message), { value, length: message.length });
  const followed = join(message, [0, 5, 255, 0, 1]);
  const before = followed.slice();
  assertEquals(decode(followed), { value, length: message.length });
  assertEquals(followed, before, "the input is not changed");
}

/** Garbage gives a message within the bytes given, a call for more or a ProtocolError; beyond `limit` never the second. */
export function assertTotal<T>(decode: Decoder<T>, limit: number, garbage: Uint8Array): void {
  const before = garbage.slice();
  try {
    const decoded = decode(garbage);
    if (decoded === undefined) assert(garbage.length < limit, `${garbage.length} bytes and still asks for more`);
    else assert(decoded.length > 0 && decoded.length <= garbage.length && decoded.length <= limit);
  } catch (error) {
    assertInstanceOf(error, ProtocolError);
  }
  assertEquals(garbage, before, "the input is not changed");
}

/** Once a prefix is refused, more bytes do not mend it; once it is read, more bytes do not change what was read. */
export function assertStable<T>(decode: Decoder<T>, garbage: Uint8Array): void {
  let settled: string | undefined;
  for (let length = 0; length <= garbage.length; length++) {
    const outcome = outcomeOf(decode, garbage.slice(0, length));
    if (settled !== undefined) assertEquals(outcome, settled, `with ${length} bytes`);
    else if (outcome !== "more") settled = outcome;
  }
}

function outcomeOf<T>(decode: Decoder<T>, input: Uint8Array): string {
  try {
    const decoded = decode(input);
    return decoded === undefined ? "more" : JSON.stringify(decoded);
  } catch (error) {
    return error instanceof ProtocolError ? error.fault : `threw ${error}`;
  }
}

/** The fault that reading `input` is refused with. */
export function faultOf<T>(decode: (input: Uint8Array) => T, input: Uint8Array): string {
  try {
    return `read ${JSON.stringify(decode(input))}`;
  } catch (error) {
    assertInstanceOf(error, ProtocolError);
    return error.fault;
  }
}
