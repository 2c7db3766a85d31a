/**
 * Raw ends of connections for the wire suite: a client, targets, and UDP sockets, all on loopback.
 *
 * Nothing here knows the project's codecs. Tests write the bytes by hand, so that a codec which is wrong in both directions
 * is found out. Every wait has a deadline.
 *
 * @module
 */
import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { connect as netConnect, createServer, type Server, type Socket } from "node:net";
import { freePort } from "../_free_port.ts";

/**
 * What a wait may take at most, in milliseconds, where a test says nothing else. Only what hangs takes as long; and it is
 * less than the 30 s after which a server hangs up on whoever says nothing, and drains no longer: what is over by then is
 * over for another reason.
 */
export const PATIENCE = 28_000;

/** How long servers for tests wait for a client's next word, in milliseconds: longer than any case takes. */
const FOR_EVER = 3_600_000;

/** How a stream ended: with FIN or with RST. */
export type Ending = "fin" | "reset";

/** A single byte, a text (UTF-8) or bytes. */
export type Part = number | string | Uint8Array | readonly number[];

/** Joins parts to one array. */
export function bytes(...parts: readonly Part[]): Uint8Array {
  const flat: number[] = [];
  for (const part of parts) {
    if (typeof part === "number") flat.push(part);
    else for (const byte of typeof part === "string" ? new TextEncoder().encode(part) : part) flat.push(byte);
  }
  return new Uint8Array(flat);
}

/** The two bytes of a port. */
export function portBytes(port: number): Uint8Array {
  return new Uint8Array([port >> 8, port & 0xff]);
}

/** The four bytes of a dotted address. */
export function ipv4Bytes(address: string): Uint8Array {
  return new Uint8Array(address.split(".").map(Number));
}

/** The sixteen bytes of `::1`. */
export const LOOPBACK6: Uint8Array = new Uint8Array([...new Array(15).fill(0), 1]);

/** Text of bytes in hexadecimal, for messages and comparisons that read well. */
export function hex(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** Bytes from a small deterministic generator (xorshift32), so that a failure can be repeated. */
export function pseudoRandom(
  seed: number,
): { byte(): number; below(limit: number): number; fill(n: number): Uint8Array } {
  let state = seed | 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  const below = (limit: number) => next() % limit;
  const byte = () => (next() >>> 8) & 0xff;
  return { byte, below, fill: (n) => Uint8Array.from({ length: n }, byte) };
}

/** The SHA-256 of data, in hexadecimal. */
export async function digest(...parts: readonly Uint8Array[]): Promise<string> {
  const data = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", data))).replaceAll(" ", "");
}

/** Settles as `promise` does, or rejects when that takes longer than `ms`. */
export async function within<T>(ms: number, what: string | (() => string), promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`Waited ${Math.round(ms)} ms in vain for ${typeof what === "string" ? what : what()}`));
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Probes again and again until the result is not `undefined` or `false`: only for what has no event to wait for. */
export async function eventually<T>(
  what: string | (() => string),
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  ms: number = PATIENCE,
): Promise<T> {
  const end = performance.now() + ms;
  while (true) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > end) {
      throw new Error(`Waited ${ms} ms in vain for ${typeof what === "string" ? what : what()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/**
 * Does something that a server has a short time for, and does it again where this machine was too slow for that: then the
 * server was right to hang up. What fails although there was time fails at once.
 *
 * @param limit The server's time, in milliseconds.
 * @param act What must not take as long; it ends by itself if the server hangs up on it.
 */
export async function inTime<T>(limit: number, act: () => Promise<T>): Promise<T> {
  while (true) {
    const began = performance.now();
    try {
      return await act();
    } catch (error) {
      if (performance.now() - began < 0.9 * limit) throw error;
    }
  }
}

/** Where to connect to. */
export interface To {
  /** The address; unused with `path`. */
  readonly host: string;
  /** The port; unused with `path`. */
  readonly port: number;
  /** The path of a UNIX socket. */
  readonly path?: string;
}

/** Options for {@linkcode Wire.connect}. */
export interface ConnectOptions {
  /** The local address to connect from, such as `127.0.0.9`. */
  readonly from?: string;
  /** How long it may take, in milliseconds. */
  readonly ms?: number;
}

/** Read-ahead at which reading pauses, so that a reader who stops reading is felt by the other side. */
const READ_AHEAD = 64 * 1024;

/** One end of a byte stream. */
export class Wire implements Disposable {
  readonly #socket: Socket;
  #chunks: Uint8Array[] = [];
  #buffered = 0;
  #ending: Ending | undefined;
  #error: Error | undefined;
  #held = false;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Uint8Array) => {
      // Copied: the reader may keep it longer than the runtime keeps its buffer.
      this.#chunks.push(new Uint8Array(chunk));
      this.#buffered += chunk.length;
      if (this.#held || this.#buffered >= READ_AHEAD) socket.pause();
      this.#wake();
    });
    socket.on("end", () => this.#end("fin"));
    socket.on("error", (error) => {
      this.#error = error;
      this.#end("reset");
    });
    socket.on("close", () => this.#end("reset"));
  }

  /** Connects, by IP address or UNIX path. */
  static async connect(to: To, options: ConnectOptions = {}): Promise<Wire> {
    const socket = netConnect(
      to.path !== undefined ? { path: to.path, allowHalfOpen: true } : {
        host: to.host,
        port: to.port,
        allowHalfOpen: true,
        ...(options.from === undefined ? {} : { localAddress: options.from }),
      },
    );
    const connected = new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    try {
      await within(options.ms ?? PATIENCE, `a connection to ${to.path ?? `${to.host}:${to.port}`}`, connected);
    } catch (error) {
      socket.destroy();
      throw error;
    }
    return new Wire(socket);
  }

  /** The own port. */
  get localPort(): number {
    return this.#socket.localPort ?? 0;
  }

  /** The own address. */
  get localAddress(): string {
    return this.#socket.localAddress ?? "";
  }

  /** The other side's port. */
  get remotePort(): number {
    return this.#socket.remotePort ?? 0;
  }

  /** The other side's address. */
  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? "";
  }

  /** How the other side ended its stream; `undefined` while it has not (or not yet been seen to have). */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** How many bytes wait in this process because the other side does not take them. */
  get unsent(): number {
    return this.#socket.writableLength;
  }

  #end(ending: Ending): void {
    if (ending === "reset" && this.#ending === "fin" && this.#error === undefined) return;
    this.#ending = ending;
    this.#wake();
  }

  /** Sends bytes; resolves when the system has taken them. */
  send(...parts: readonly Part[]): Promise<void> {
    return this.write(bytes(...parts));
  }

  /** Sends each part in a segment of its own. */
  async sendEach(parts: Iterable<Uint8Array>): Promise<void> {
    for (const part of parts) {
      await this.write(part);
      // A turn of the event loop, so that the receiver gets the chance to read each part alone.
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** Sends one array without copying it; rejects when the stream is gone. */
  write(data: Uint8Array, ms: number = 120_000): Promise<void> {
    return within(
      ms,
      () => `${data.length} bytes to be taken (${this.unsent} are not)`,
      new Promise((resolve, reject) => {
        this.#socket.write(data, (error) => error ? reject(error) : resolve());
      }),
    );
  }

  /** Waits until bytes or an end are there. */
  async #more(deadline: number, what: () => string): Promise<void> {
    if (!this.#held) this.#socket.resume();
    const woken = new Promise<void>((resolve) => this.#wake = resolve);
    if (this.#ending !== undefined) return;
    await within(Math.max(1, deadline - performance.now()), what, woken);
  }

  #take(n: number): Uint8Array {
    const taken = new Uint8Array(n);
    let at = 0;
    while (at < n) {
      const chunk = this.#chunks[0]!;
      const part = chunk.subarray(0, n - at);
      taken.set(part, at);
      at += part.length;
      if (part.length === chunk.length) this.#chunks.shift();
      else this.#chunks[0] = chunk.subarray(part.length);
    }
    this.#buffered -= n;
    if (!this.#held && this.#buffered < READ_AHEAD) this.#socket.resume();
    return taken;
  }

  /** Reads exactly `n` bytes. */
  async read(n: number, ms: number = PATIENCE): Promise<Uint8Array> {
    const deadline = performance.now() + ms;
    const parts: Uint8Array[] = [];
    let got = 0;
    while (got < n) {
      if (this.#buffered > 0) {
        const part = this.#take(Math.min(n - got, this.#buffered));
        parts.push(part);
        got += part.length;
        continue;
      }
      const state = () => `byte ${got + 1} of ${n}; got ${hex(join(parts).subarray(0, 64))}`;
      if (this.#ending !== undefined) throw new Error(`The stream ended (${this.#ending}) before ${state()}`);
      await this.#more(deadline, state);
    }
    return parts.length === 1 ? parts[0]! : join(parts);
  }

  /** Reads whatever comes next: at least one byte, or none at the end. */
  async readSome(ms: number = PATIENCE): Promise<Uint8Array> {
    const deadline = performance.now() + ms;
    while (this.#buffered === 0 && this.#ending === undefined) await this.#more(deadline, () => "any byte or the end");
    return this.#take(this.#buffered);
  }

  /** Reads all that comes until the end, and how that end came. */
  async readToEnd(ms: number = PATIENCE): Promise<{ data: Uint8Array; ending: Ending }> {
    const deadline = performance.now() + ms;
    const parts: Uint8Array[] = [];
    while (true) {
      if (this.#buffered > 0) parts.push(this.#take(this.#buffered));
      else if (this.#ending !== undefined) return { data: join(parts), ending: this.#ending };
      else await this.#more(deadline, () => `the end of the stream; got ${hex(join(parts).subarray(0, 64))}`);
    }
  }

  /** Stops reading (for a reader that stalls); {@linkcode Wire.read} then takes only what is already here. */
  hold(): void {
    this.#held = true;
    this.#socket.pause();
  }

  /** Reads again after {@linkcode Wire.hold}. */
  release(): void {
    this.#held = false;
    this.#socket.resume();
  }

  /** Sends FIN and keeps reading. */
  finish(): void {
    this.#socket.end();
  }

  /** Sends RST. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Closes both directions. */
  close(): void {
    this.#socket.destroy();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * Writes a block again and again until the other side ends the stream, which it must within the given time.
 *
 * @returns What it said before.
 */
export async function writeUntilEnd(
  wire: Wire,
  block: Uint8Array,
  ms: number = PATIENCE,
): Promise<{ data: Uint8Array; ending: Ending }> {
  const end = wire.readToEnd(ms);
  let over = false;
  end.then(() => over = true, () => over = true);
  while (!over) {
    await wire.write(block, ms).catch(() => {});
    // A turn of the event loop, in which the end may be seen.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return await end;
}

/** Options for {@linkcode Target.listen}. */
export interface TargetOptions {
  /** @default {"127.0.0.1"} */
  readonly host?: string;
  /** @default {0} */
  readonly port?: number;
  /** What it does with each connection; without it the test takes them with {@linkcode Target.accept}. */
  readonly handle?: (wire: Wire) => Promise<void> | void;
}

/** A TCP server for the proxy to connect to. */
export class Target implements Disposable {
  readonly #server: Server;
  readonly #waiting: Wire[] = [];
  readonly #wires = new Set<Wire>();
  #wake: () => void = () => {};
  /** How many connections came. */
  accepted = 0;

  private constructor(server: Server, readonly host: string, readonly port: number) {
    this.#server = server;
  }

  /** Listens on loopback. */
  static async listen({ host = "127.0.0.1", port = 0, handle }: TargetOptions = {}): Promise<Target> {
    const server = createServer({ allowHalfOpen: true });
    const listening = new Promise<void>((resolve, reject) => {
      server.once("listening", resolve);
      server.once("error", reject);
    });
    server.listen({ host, port });
    await within(PATIENCE, `a listener on ${host}`, listening);
    const target = new Target(server, host, (server.address() as { port: number }).port);
    server.on("connection", (socket) => {
      const wire = new Wire(socket as Socket);
      target.#wires.add(wire);
      (socket as Socket).once("close", () => target.#wires.delete(wire));
      target.accepted++;
      if (handle === undefined) target.#waiting.push(wire);
      else Promise.resolve(handle(wire)).catch(() => wire.close());
      target.#wake();
    });
    return target;
  }

  /** Listens and sends back what comes, with FIN for FIN. */
  static echo(options: Omit<TargetOptions, "handle"> = {}): Promise<Target> {
    return Target.listen({
      ...options,
      handle: async (wire) => {
        while (true) {
          const data = await wire.readSome(FOR_EVER);
          if (data.length === 0) break;
          await wire.write(data);
        }
        if (wire.ending === "fin") wire.finish();
        else wire.close();
      },
    });
  }

  /** Listens, reads and forgets. */
  static sink(options: Omit<TargetOptions, "handle"> = {}): Promise<Target> {
    return Target.listen({ ...options, handle: async (wire) => void await wire.readToEnd(FOR_EVER) });
  }

  /** Listens and resets every connection at once. */
  static resetting(options: Omit<TargetOptions, "handle"> = {}): Promise<Target> {
    return Target.listen({ ...options, handle: (wire) => wire.reset() });
  }

  /** Listens and never says or reads anything. */
  static silent(options: Omit<TargetOptions, "handle"> = {}): Promise<Target> {
    return Target.listen({ ...options, handle: (wire) => wire.hold() });
  }

  /** The next connection that came. */
  async accept(ms: number = PATIENCE): Promise<Wire> {
    const deadline = performance.now() + ms;
    while (true) {
      const wire = this.#waiting.shift();
      if (wire !== undefined) return wire;
      const woken = new Promise<void>((resolve) => this.#wake = resolve);
      await within(Math.max(1, deadline - performance.now()), `a connection to the target on port ${this.port}`, woken);
    }
  }

  /** How many connections are open. */
  get open(): number {
    return this.#wires.size;
  }

  /** Closes it and its connections. */
  close(): void {
    this.#server.close();
    for (const wire of this.#wires) wire.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A TCP port of loopback on which nothing listens, and that nobody gets by chance. */
export function closedPort(host: string = "127.0.0.1"): Promise<number> {
  return freePort(host);
}

/** A datagram and where it came from. */
export interface Datagram {
  /** The payload. */
  readonly data: Uint8Array;
  /** The sender's address. */
  readonly host: string;
  /** The sender's port. */
  readonly port: number;
}

/** A UDP socket. */
export class Udp implements Disposable {
  readonly #socket: UdpSocket;
  readonly #queue: Datagram[] = [];
  #wake: () => void = () => {};

  private constructor(socket: UdpSocket, readonly host: string, readonly port: number) {
    this.#socket = socket;
  }

  /** Binds to a loopback address. */
  static async bind(host: string = "127.0.0.1", port: number = 0): Promise<Udp> {
    const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
    const bound = new Promise<void>((resolve, reject) => {
      socket.once("listening", () => resolve());
      socket.once("error", reject);
    });
    socket.bind(port, host);
    await within(PATIENCE, `a UDP socket on ${host}`, bound);
    const udp = new Udp(socket, host, socket.address().port);
    socket.on("message", (message, from) => {
      udp.#queue.push({ data: new Uint8Array(message), host: from.address, port: from.port });
      udp.#wake();
    });
    socket.on("error", () => {});
    return udp;
  }

  /** Binds and sends every datagram back to its sender. */
  static async echo(host: string = "127.0.0.1"): Promise<Udp> {
    const udp = await Udp.bind(host);
    udp.#socket.on("message", (message, from) => udp.#socket.send(message, from.port, from.address));
    return udp;
  }

  /** Sends one datagram. */
  send(to: { readonly host: string; readonly port: number }, data: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(data, to.port, to.host, (error) => error ? reject(error) : resolve());
    });
  }

  /** The next datagram that came. */
  async receive(ms: number = PATIENCE): Promise<Datagram> {
    const deadline = performance.now() + ms;
    while (true) {
      const datagram = this.#queue.shift();
      if (datagram !== undefined) return datagram;
      const woken = new Promise<void>((resolve) => this.#wake = resolve);
      await within(Math.max(1, deadline - performance.now()), `a datagram on port ${this.port}`, woken);
    }
  }

  /** How many datagrams wait to be received. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Closes it. */
  close(): void {
    try {
      this.#socket.close();
    } catch {
      // It was closed before.
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
