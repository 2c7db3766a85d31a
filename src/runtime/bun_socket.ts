import { canonicalIp, type SocketAddress } from "../net/address.ts";
import type { BunSocket, BunSocketHandlers } from "./bun_api.ts";
import { burst, BURST_FROM, isOfBurst } from "./bun_burst.ts";
import { descriptors } from "./descriptors.ts";
import { newNetError } from "./errno.ts";
import { LINGER, SocketConnection } from "./socket_connection.ts";

/** What a socket of Bun's belongs to: at first to who is waiting for it, from its opening on to its connection. */
export interface BunOwner {
  opened(socket: BunSocket<BunOwner>): void;
  refused(error: unknown): void;
  arrived(bytes: Uint8Array): void;
  drain(): void;
  ended(): void;
  lost(error: unknown): void;
}

/** Serves every socket; a socket's `data` says whose it is. */
export const handlers: BunSocketHandlers<BunOwner> = {
  binaryType: "uint8array",
  open: (socket) => socket.data.opened(socket),
  data: (socket, bytes) => socket.data.arrived(bytes),
  drain: (socket) => socket.data.drain(),
  end: (socket) => socket.data.ended(),
  close: (socket, error) => socket.data.lost(error),
  error(socket, error) {
    // One of our callbacks threw.
    socket.data.lost(error);
    socket.terminate();
  },
  connectError: (socket, error) => socket.data.refused(error),
};

/** A connection over a socket of Bun's. */
export class BunConnection extends SocketConnection implements BunOwner {
  readonly #socket: BunSocket<BunOwner>;
  /** What the kernel did not take: `write` keeps nothing. */
  #tail: Uint8Array[] | undefined;
  #paused = false;
  #finishing = false;
  #closing = false;
  #broken = false;
  #over = false;
  #linger: ReturnType<typeof setTimeout> | undefined;
  #take: ((bytes: Uint8Array) => boolean) | undefined;

  /**
   * @param socket An open socket.
   * @param known The ends that are known already: each would be a new object, and thousands of connections hold them.
   */
  constructor(socket: BunSocket<BunOwner>, known: { local?: SocketAddress | undefined; remote?: SocketAddress } = {}) {
    super();
    this.#socket = socket;
    this.local = known.local ?? addressOf(socket.localAddress, socket.localPort);
    this.remote = this.local && (known.remote ?? addressOf(socket.remoteAddress, socket.remotePort));
    socket.data = this;
  }

  /** It was open before it became a connection. */
  opened(): void {}

  /** It was open before it became a connection. */
  refused(): void {}

  /** Bytes came, in a buffer of their own. In a relay, much of them calls for a burst. */
  arrived(bytes: Uint8Array): void {
    let goOn = this.came(bytes);
    if (goOn && bytes.length >= BURST_FROM && this.tap?.isPaced === false && !this.#over) {
      goOn = burst(this.#socket.fd, this.#take ??= (bytes) => this.came(bytes) && !this.#over);
    }
    if (goOn || this.#paused || this.#over) return;
    this.#paused = true;
    this.#socket.pause();
  }

  /** There is room again, or there always was: Bun says so now and then. */
  drain(): void {
    const tail = this.#tail;
    if (tail === undefined || this.#over) return;
    while (tail.length > 0) {
      const bytes = tail[0]!;
      const taken = this.#socket.write(bytes);
      if (this.#over) return;
      if (taken < 0) return this.#break();
      if (taken < bytes.length) {
        tail[0] = bytes.subarray(taken);
        return;
      }
      tail.shift();
    }
    this.#tail = undefined;
    if (this.#finishing) this.#socket.shutdown();
    this.drained();
    if (this.#closing) this.#socket.end();
  }

  /** The socket is closed. When both ends have half-closed, this is how Bun reports the second end. */
  lost(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    descriptors.give();
    clearTimeout(this.#linger);
    if (this.#broken) this.failed(newNetError("reset", "Cannot go on"));
    else if (error) this.failed(error);
    else this.ended();
    this.gone(!this.pending);
    this.#tail = undefined;
  }

  protected override resumeSocket(): void {
    if (!this.#paused || this.#over) return;
    this.#paused = false;
    this.#socket.resume();
  }

  protected override send(bytes: Uint8Array): boolean {
    if (this.#over) return false;
    const taken = this.#tail === undefined ? this.#socket.write(bytes) : 0;
    if (taken === bytes.length) return true;
    if (taken < 0) this.#break();
    const rest = taken > 0 ? bytes.subarray(taken) : bytes;
    (this.#tail ??= []).push(isOfBurst(rest) ? rest.slice() : rest);
    return false;
  }

  /**
   * A write came across a reset before the event loop did, and took the error away from it: Bun would report an end in
   * good order, or nothing at all of a socket that is paused.
   */
  #break(): void {
    if (this.#broken) return;
    this.#broken = true;
    // Not from within a write, whose caller must first hear of it.
    queueMicrotask(() => this.#socket.terminate());
  }

  protected override get pending(): boolean {
    return this.#tail !== undefined;
  }

  protected override finish(): void {
    this.#finishing = true;
    if (!this.pending && !this.#over) this.#socket.shutdown();
  }

  protected override destroy(): void {
    if (!this.pending) return this.#socket.end();
    this.#closing = true;
    this.#linger = setTimeout(() => this.#socket.terminate(), LINGER);
  }

  protected override reset(): void {
    this.#socket.terminate();
  }
}

/** The address of one end; a UNIX socket has none. */
function addressOf(ip: string | undefined, port: number | undefined): SocketAddress | undefined {
  return !ip || port === undefined || !/[.:]/.test(ip) ? undefined : { ip: canonicalIp(ip), port };
}
