/** A proxy on a {@linkcode Network}, of which the test says what it answers. */

import { decodeAddress } from "../../src/protocol/address.ts";
import type { Network } from "./_network.ts";
import type { PipeEnd } from "./_pipe.ts";

/** What the proxy was told. */
export interface Asked {
  /** The login as `user:password`, if there was one. */
  readonly login?: string | undefined;
  /** The target as `host:port`. */
  readonly target: string;
}

/** How it answers. */
export interface Script {
  /** REP, with what may follow it; `close` ends the connection without one. By default it grants, from 203.0.113.77:4660. */
  reply?: number | "close" | "silence" | Promise<number>;
  /** Whether a login is wrong. */
  refusesLogin?: boolean;
}

/** A SOCKS5 proxy at `at`, which sends back what it gets once it has granted a request. */
export function proxyAt(network: Network, at: string, script: Script = {}): Asked[] {
  const asked: Asked[] = [];
  network.answers.set(at, async (end) => {
    try {
      await serve(end, script, asked);
    } catch {
      // The server has let go of it.
    }
  });
  return asked;
}

async function serve(end: PipeEnd, script: Script, asked: Asked[]): Promise<void> {
  const reader = new Reader(end);
  const [, count] = await reader.take(2);
  const methods = await reader.take(count!);
  let login: string | undefined;
  const method = methods.includes(2) ? 2 : 0;
  await end.write(Uint8Array.of(5, method));
  if (method === 2) {
    const user = await reader.take((await reader.take(2))[1]!);
    const password = await reader.take((await reader.take(1))[0]!);
    login = `${new TextDecoder().decode(user)}:${new TextDecoder().decode(password)}`;
    await end.write(Uint8Array.of(1, script.refusesLogin === true ? 1 : 0));
    if (script.refusesLogin === true) return end.close();
  }
  await reader.take(3);
  const { host, port } = await reader.address();
  asked.push({ login, target: `${host}:${port}` });
  const reply = await (script.reply ?? 0);
  if (reply === "silence") return;
  if (reply === "close") return end.close();
  await end.write(Uint8Array.of(5, reply, 0, 1, 203, 0, 113, 77, 0x12, 0x34));
  if (reply !== 0) return end.close();
  for (let chunk = await reader.rest(); chunk !== null; chunk = await reader.rest()) await end.write(chunk);
  end.closeWrite();
}

class Reader {
  readonly #end: PipeEnd;
  #bytes = new Uint8Array(0);

  constructor(end: PipeEnd) {
    this.#end = end;
  }

  async take(count: number): Promise<Uint8Array> {
    while (this.#bytes.length < count) await this.#more();
    const bytes = this.#bytes.slice(0, count);
    this.#bytes = this.#bytes.slice(count);
    return bytes;
  }

  async address(): Promise<{ host: string; port: number }> {
    for (;;) {
      const decoded = decodeAddress(this.#bytes, 0);
      if (decoded === undefined) await this.#more();
      else {
        this.#bytes = this.#bytes.slice(decoded.length);
        return decoded.value;
      }
    }
  }

  async rest(): Promise<Uint8Array | null> {
    if (this.#bytes.length === 0) return await this.#end.read();
    return await this.take(this.#bytes.length);
  }

  async #more(): Promise<void> {
    const chunk = await this.#end.read();
    if (chunk === null) throw new Error("Cannot read: the end came");
    const both = new Uint8Array(this.#bytes.length + chunk.length);
    both.set(this.#bytes);
    both.set(chunk, this.#bytes.length);
    this.#bytes = both;
  }
}
