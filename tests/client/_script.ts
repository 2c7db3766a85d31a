/** A proxy that says what the test wants, and writes down what it is told. */

import type { Connection, Duplex } from "../../src/runtime/runtime.ts";
import { connectionPair } from "../../src/runtime/memory.ts";
import { hex } from "../server/_harness.ts";

/** Bytes of hexadecimal text. */
export function unhex(text: string): Uint8Array {
  return Uint8Array.from(text.split(" ").filter((part) => part !== ""), (part) => parseInt(part, 16));
}

/** What the proxy says once it has read so much: bytes, or how it leaves. */
export type Line = readonly [count: number, answer: string | "end" | "reset"];

/** A scripted proxy and the way to it. */
export interface Script {
  readonly connection: Connection & Duplex;
  /** What it was told, as hexadecimal text, one entry a line of the script. */
  readonly told: string[];
  /** The proxy's end. */
  readonly proxy: Connection & Duplex;
  /** Fulfilled when all lines are said. */
  readonly said: Promise<void>;
}

/** Every byte a chunk of its own. */
export function* bytewise(bytes: Uint8Array): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}

export function script(lines: readonly Line[], split?: (bytes: Uint8Array) => Iterable<Uint8Array>): Script {
  const [connection, proxy] = connectionPair({ split });
  const told: string[] = [];
  return { connection, proxy, told, said: act(proxy, lines, told) };
}

export async function act(proxy: Duplex, lines: readonly Line[], told: string[]): Promise<void> {
  let rest: number[] = [];
  for (const [count, answer] of lines) {
    while (rest.length < count) {
      const chunk = await proxy.read();
      if (chunk === null) throw new Error(`The client left after ${rest.length} of ${count} bytes`);
      rest.push(...chunk);
    }
    told.push(hex(Uint8Array.from(rest.slice(0, count))));
    rest = rest.slice(count);
    if (answer === "end") return proxy.closeWrite();
    if (answer === "reset") return proxy.close(new Error("The script resets"));
    await proxy.write(unhex(answer));
  }
}
