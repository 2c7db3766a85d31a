import { assertEquals } from "@std/assert";
import { formatAddress, type SocketAddress } from "../../src/net/address.ts";
import type { Observer, Refusal, SessionInfo, SessionSummary } from "../../src/server/observer.ts";
import type { ServeOptions } from "../../src/server/options.ts";
import { serve, type Server } from "../../src/server/server.ts";
import { Network } from "./_network.ts";
import type { PipeEnd } from "./_pipe.ts";

/** What a test waits by, whatever it does to the clock of those it tests. */
const { clearTimeout, performance, setTimeout } = globalThis;

/**
 * How long anything may take before a test gives up, in milliseconds. Nothing is measured by it; it is less than the
 * server gives a handshake, so that what ends by that time limit is not taken for what should have ended by itself.
 */
const PATIENCE = 28_000;

/** A promise that must come true soon; if not, the test fails instead of hanging. */
export async function soon<T>(promise: Promise<T>, what = "it", ms: number = PATIENCE): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Cannot go on: ${what} did not happen within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until something holds that no promise tells of. */
export async function eventually(holds: () => boolean, what: string): Promise<void> {
  const end = performance.now() + PATIENCE;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`Cannot go on: ${what} did not happen`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Lets everything happen that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** What the test holds of a connection: a client, a target or a peer. */
export class Wire {
  readonly end: PipeEnd;
  #rest = new Uint8Array(0);

  constructor(end: PipeEnd) {
    this.end = end;
  }

  async send(...parts: readonly (Uint8Array | readonly number[] | string)[]): Promise<void> {
    const encoder = new TextEncoder();
    for (const part of parts) {
      const bytes = typeof part === "string" ? encoder.encode(part) : Uint8Array.from(part);
      if (bytes.length > 0) await this.end.write(bytes);
    }
  }

  /** Exactly `count` bytes. */
  async read(count: number): Promise<Uint8Array> {
    while (this.#rest.length < count) {
      const chunk = await soon(this.end.read(), `byte ${this.#rest.length + 1} of ${count}`);
      if (chunk === null) throw new Error(`Cannot read ${count} bytes: ended after ${this.#rest.length}`);
      this.#push(chunk);
    }
    const bytes = this.#rest.slice(0, count);
    this.#rest = this.#rest.slice(count);
    return bytes;
  }

  async text(count: number): Promise<string> {
    return new TextDecoder().decode(await this.read(count));
  }

  /** Everything up to the end. */
  async rest(): Promise<Uint8Array> {
    for (;;) {
      const chunk = await soon(this.end.read(), "the end");
      if (chunk === null) break;
      this.#push(chunk);
    }
    const bytes = this.#rest;
    this.#rest = new Uint8Array(0);
    return bytes;
  }

  /** Everything up to the end, as hexadecimal text. */
  async restHex(): Promise<string> {
    return hex(await this.rest());
  }

  /** Expects exactly these bytes next, as hexadecimal text. */
  async expect(wanted: string): Promise<void> {
    const count = wanted.split(" ").length;
    assertEquals(hex(await this.read(count)), wanted);
  }

  /** Half-closes. */
  finish(): void {
    this.end.closeWrite();
  }

  /** Closes; with `reset` as a crash would. */
  leave(how?: "reset"): void {
    this.end.close(how === "reset" ? new Error("The test resets") : undefined);
  }

  #push(chunk: Uint8Array): void {
    const both = new Uint8Array(this.#rest.length + chunk.length);
    both.set(this.#rest);
    both.set(chunk, this.#rest.length);
    this.#rest = both;
  }
}

/** Bytes as `05 01 00`. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** An observer that writes down what it is told. */
export class Recorder implements Observer {
  readonly events: string[] = [];
  readonly refusals: Refusal[] = [];
  readonly summaries: SessionSummary[] = [];
  readonly sessions: SessionInfo[] = [];
  #wake: (() => void)[] = [];

  opened(session: SessionInfo): void {
    this.#note("opened", session);
  }
  authenticated(session: SessionInfo): void {
    this.#note(`authenticated ${session.user?.name}`, session);
  }
  requested(session: SessionInfo): void {
    const { protocol, command, target } = session;
    this.#note(`requested ${protocol} ${command} ${target?.host}:${target?.port}`, session);
  }
  refused(session: SessionInfo, refusal: Refusal): void {
    this.refusals.push(refusal);
    this.#note(`refused ${refusal.cause}`, session);
  }
  connected(session: SessionInfo): void {
    this.#note(`connected ${session.address === undefined ? "somewhere" : formatAddress(session.address)}`, session);
  }
  closed(session: SessionInfo, summary: SessionSummary): void {
    this.summaries.push(summary);
    this.#note(`closed ${summary.cause}`, session);
  }

  /** The account of the session that ended as the `nth`. */
  async summary(nth = 0): Promise<SessionSummary> {
    await soon(this.#until(() => this.summaries.length > nth), "the end of the session");
    return this.summaries[nth]!;
  }

  /** Waits for an event that begins so. */
  async event(start: string): Promise<void> {
    await soon(this.#until(() => this.events.some((event) => event.startsWith(start))), `"${start}"`);
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  #note(event: string, session: SessionInfo): void {
    this.events.push(event);
    this.sessions.push(session);
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** A server on a network in memory. */
export interface House extends AsyncDisposable {
  readonly network: Network;
  readonly server: Server;
  readonly seen: Recorder;
  /** A client of the first listener, on this machine unless it says where. */
  client(from?: SocketAddress): Wire;
}

/** Where clients are that are not on this machine. */
export const FAR: SocketAddress = { ip: "203.0.113.9", port: 50_000 };
/** Where clients are that are. */
export const NEAR: SocketAddress = { ip: "127.0.0.1", port: 50_001 };

/** Starts a server in memory. Unless told otherwise it listens on 192.0.2.1:1080, and for anyone. */
export async function house(options: ServeOptions = {}, network: Network = new Network()): Promise<House> {
  const seen = new Recorder();
  const server = await serve({
    listen: "192.0.2.1:1080",
    open: true,
    observer: seen,
    runtime: network,
    ...options,
  });
  return {
    network,
    server,
    seen,
    client: (from = FAR) => new Wire(network.reach(formatAddress(server.addresses[0]!), from)),
    async [Symbol.asyncDispose]() {
      await soon(server.close(), "the server's close");
    },
  };
}

/** A target that the test holds: `await target` is the first connection to it. */
export function target(network: Network, at: string): Promise<Wire> {
  return new Promise((resolve) => network.answers.set(at, (end) => resolve(new Wire(end))));
}

/** A target that sends back what it gets, and ends when the other side does. */
export function echo(network: Network, at: string): void {
  network.answers.set(at, async (end) => {
    try {
      for (let chunk = await end.read(); chunk !== null; chunk = await end.read()) await end.write(chunk);
      end.closeWrite();
    } catch {
      // The relay has let go of it.
    }
  });
}
