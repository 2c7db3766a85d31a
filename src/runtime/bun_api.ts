/**
 * The little of Bun's API that the adapter uses, spelt out so that it needs no types of Bun's.
 *
 * @module
 */

/** A TCP or UNIX socket. */
export interface BunSocket<Data> {
  data: Data;
  /** The descriptor; negative once the socket is closed. */
  readonly fd: number;
  readonly localAddress?: string;
  readonly localPort?: number;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  /** Takes some of the bytes and drops the rest; -1 on a closed socket. */
  write(bytes: Uint8Array): number;
  /** Half-closes. */
  shutdown(): void;
  /** Closes both directions. */
  end(): void;
  /** Resets. */
  terminate(): void;
  pause(): void;
  resume(): void;
}

/** What a socket calls. One object serves all sockets; what is a socket's own is in its `data`. */
export interface BunSocketHandlers<Data> {
  binaryType: "uint8array";
  open(socket: BunSocket<Data>): void;
  data(socket: BunSocket<Data>, bytes: Uint8Array): void;
  drain(socket: BunSocket<Data>): void;
  end(socket: BunSocket<Data>): void;
  close(socket: BunSocket<Data>, error?: unknown): void;
  error(socket: BunSocket<Data>, error: unknown): void;
  connectError?(socket: BunSocket<Data>, error: unknown): void;
}

interface BunSocketOptions<Data> {
  data: Data;
  allowHalfOpen: true;
  socket: BunSocketHandlers<Data>;
}

/** A listening socket. */
export interface BunListenSocket {
  readonly port?: number;
  readonly hostname?: string;
  stop(closeActiveConnections?: boolean): void;
}

/** A UDP socket. */
export interface BunUdpSocket {
  readonly address: { readonly address: string; readonly port: number };
  send(bytes: Uint8Array, port: number, ip: string): boolean;
  close(): void;
}

/** What is used of the global `Bun`. */
export interface BunApi {
  listen<Data>(
    options: BunSocketOptions<Data> & ({ hostname: string; port: number } | { unix: string }),
  ): BunListenSocket;
  connect<Data>(
    options: BunSocketOptions<Data> & { hostname: string; port: number; localAddress?: string },
  ): Promise<BunSocket<Data>>;
  udpSocket(options: { hostname: string; connect: { hostname: string; port: number } }): Promise<BunUdpSocket>;
  udpSocket(options: {
    hostname: string;
    port: number;
    flags: number;
    binaryType: "uint8array";
    socket: {
      data(socket: BunUdpSocket, bytes: Uint8Array, port: number, ip: string): void;
      error(socket: BunUdpSocket, error: unknown): void;
    };
  }): Promise<BunUdpSocket>;
}

/** The global `Bun`. */
export const Bun: BunApi = (globalThis as unknown as { Bun: BunApi }).Bun;
