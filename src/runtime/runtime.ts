/**
 * The contract that every runtime fulfils. The core knows these types and no others; an adapter is a value of
 * {@linkcode Runtime}, passed in.
 *
 * @module
 */

import type { IpAddress, SocketAddress, UnixAddress } from "../net/address.ts";

/** What the server asks of the system it runs on. */
export interface Runtime {
  /** `deno`, `bun`, `node` or `memory`. */
  readonly name: string;

  /**
   * Listens for connections.
   *
   * @throws {NetError} `address-in-use`, `address-not-available`, `permission-denied`.
   */
  listen(options: ListenOptions): Promise<Listener>;

  /**
   * Connects to an IP address, never to a name.
   *
   * @throws {NetError} `refused`, `unreachable-network`, `unreachable-host`, `timeout`, `aborted`, `too-many-files`, …
   * Bun reports most failures as `refused`.
   */
  connect(to: SocketAddress, options?: ConnectOptions): Promise<Connection>;

  /**
   * Speaks TLS as the client over a connection. Absent where there is no means to.
   *
   * @param connection The connection; from now on it is the result's.
   * @returns The connection within, which no relay takes natively.
   * @throws {NetError} `reset`, `closed`, …; `not-allowed` for a certificate that is not good; `aborted`. The connection is
   * closed then.
   */
  startTls?(connection: Duplex, options: TlsOptions): Promise<Connection & Duplex>;

  /** Opens a UDP socket. */
  bindDatagram(options: DatagramOptions): Promise<DatagramSocket>;

  /**
   * Every address of a name, in the system's order.
   *
   * @throws {NetError} `name-not-found`, `lookup-failed`, `aborted`.
   */
  lookup(hostname: string, options?: LookupOptions): Promise<IpAddress[]>;

  /**
   * Asks one name server for a name's addresses of one version of IP. Absent where there is no means to.
   *
   * @returns At least one.
   * @throws {NetError} `name-not-found` if there is none, `lookup-failed` if the server cannot tell, `timeout`,
   * `refused` and the like if it does not answer, `aborted`.
   */
  query?(hostname: string, version: 4 | 6, server: SocketAddress, options: QueryOptions): Promise<AddressRecord[]>;

  /**
   * The names of an address, by the system's resolver. Absent where there is no means to.
   *
   * @returns At least one, as they were found.
   * @throws {NetError} `name-not-found`, `lookup-failed`, `aborted`.
   */
  reverseLookup?(ip: IpAddress, options?: LookupOptions): Promise<string[]>;

  /**
   * Asks one name server for the names of an address (PTR). Absent where there is no means to.
   *
   * @returns At least one, as they were found.
   * @throws {NetError} As `query` does.
   */
  reverseQuery?(ip: IpAddress, server: SocketAddress, options: QueryOptions): Promise<string[]>;

  /** Whether `query` says `name-not-found` also where the server cannot tell, as it does on Deno; so does `reverseQuery`. */
  readonly queryBlursFailures?: boolean | undefined;

  /** The addresses of this machine's interfaces. */
  interfaces(): IpAddress[];

  /**
   * Relays between two connections that this runtime made, without touching their streams.
   *
   * @returns Whether it does: `false` if these two are not its own, for the stream relay to take them.
   */
  relay?(job: RelayJob): boolean;
}

/** A socket that listens already, handed down by whoever started this process. */
export interface InheritedSocket {
  /** Its file descriptor. */
  readonly fd: number;
}

/** Where to listen. */
export interface ListenOptions {
  /** An IP address and port (0 lets the system choose), the path of a UNIX socket, or a socket that listens already. */
  readonly address: SocketAddress | UnixAddress | InheritedSocket;
  /**
   * How many connections the system may queue.
   *
   * @default {511}
   */
  readonly backlog?: number;
}

/** Accepts connections until it is closed. */
export interface Listener extends AsyncIterable<Connection> {
  /** Where it listens; the port is the real one. */
  readonly address: SocketAddress | UnixAddress;
  /** Stops listening, ends the iteration, closes connections that nobody took and removes the UNIX socket's path. */
  close(): void;
}

/** What a wait needs of an `AbortSignal`, which is one. */
export interface Abortable {
  /** Whether it is over already. */
  readonly aborted: boolean;
  /** Why. */
  readonly reason: unknown;
  /** Calls `listener` when it aborts. */
  addEventListener(type: "abort", listener: () => void, options?: { readonly once?: boolean }): void;
  /** Does not call it any more. */
  removeEventListener(type: "abort", listener: () => void): void;
}

/** How to connect. */
export interface ConnectOptions {
  /** Gives up when it aborts, with its reason if that is a `NetError`. */
  readonly signal?: Abortable | undefined;
  /** The address to connect from. */
  readonly localIp?: IpAddress | undefined;
}

/** How to speak TLS as a client. */
export interface TlsOptions {
  /** Whom the certificate must name: a host name or an IP address. A name is also sent (SNI). */
  readonly serverName: string;
  /**
   * Certificates of authorities, in PEM.
   *
   * @default Those that the runtime trusts.
   */
  readonly authorities?: readonly string[] | undefined;
  /** Gives up when it aborts. */
  readonly signal?: Abortable | undefined;
}

/** How to look a name up. */
export interface LookupOptions {
  /** Gives up when it aborts. */
  readonly signal?: AbortSignal | undefined;
}

/** How to ask a name server. */
export interface QueryOptions extends LookupOptions {
  /** How long its answer may take, in milliseconds. */
  readonly timeout: number;
}

/** An address that a name server gave. */
export interface AddressRecord {
  /** The address. */
  readonly ip: IpAddress;
  /** For how long it is good, in milliseconds. */
  readonly ttl: number;
}

/** The least that can be relayed: two web streams. */
export interface StreamPair {
  /** What the peer sends. Cancelling it stops reading. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What the peer receives. Closing it half-closes (FIN), aborting it resets. */
  readonly writable: WritableStream<Uint8Array>;
}

/**
 * A byte stream in both directions, in the shape of WinterTC's Socket. Take the streams or, where it has them, the
 * calls of {@linkcode Duplex}; both on one connection would tear its bytes apart.
 */
export interface Connection extends StreamPair {
  /** Our end; absent where there is no IP address, as on a UNIX socket. */
  readonly local?: SocketAddress | undefined;
  /** The peer's end; absent where there is no IP address. */
  readonly remote?: SocketAddress | undefined;
  /** Fulfilled when both directions have ended, however they did. */
  readonly closed: Promise<void>;
  /** Closes both directions at once. A reason that is an error resets the connection. Idempotent. */
  close(reason?: unknown): void;
}

/** The calls beneath a connection's streams. A session that uses these alone pays for no stream. */
export interface Duplex {
  /**
   * Reads what is there, waiting for at least a byte. One read at a time.
   *
   * @returns Bytes that are good until the next `read`, or `null` at the end.
   * @throws {NetError} `reset`, `closed`, …
   */
  read(): Promise<Uint8Array | null>;
  /**
   * Writes all of `bytes`. They must not change until the promise is fulfilled; `undefined` says that it is done.
   *
   * @throws {NetError} `reset`, `closed`, …
   */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** Half-closes: the peer reads the end, and may go on sending. */
  closeWrite(): void;
  /** Closes both directions at once; with an error as reason the peer sees a reset. Idempotent. */
  close(reason?: unknown): void;
  /**
   * Takes bytes back that were read too far: the next read, a stream or a relay gets them first. For whoever reads now,
   * before the streams are used. `bytes` are copied.
   */
  giveBack?(bytes: Uint8Array): void;
}

/** Counts the bytes of one relay. */
export interface Meter {
  /** Bytes from the client to the target. */
  sent: number;
  /** Bytes from the target to the client. */
  received: number;
  /** Called when the first of the two directions has ended. */
  halfClosed?: (() => void) | undefined;
}

/** Counts the bytes of one relay and is told of its end: a call where a promise would be held by each idle tunnel. */
export interface RelayMeter extends Meter {
  /**
   * Called once, when both directions have ended well and both connections are closed, or at the first error.
   *
   * @param error That error.
   */
  relayed(error?: unknown): void;
}

/** Says how fast bytes may be relayed. */
export interface Pace {
  /**
   * Takes leave to write.
   *
   * @param wanted How many bytes there are.
   * @param up Whether they go from the client to the target.
   * @returns How many may be written now, at most `wanted`; with 0 of them {@linkcode Pace.wait} says when to ask again.
   */
  take(wanted: number, up: boolean): number;
  /**
   * Takes leave for a datagram: all of it or, to be dropped, none.
   *
   * @param size How many bytes it has.
   * @param up Whether it goes from the client to the target.
   */
  takeAll(size: number, up: boolean): boolean;
  /**
   * Calls back once, later, when `take` will give some; even if the session is over by then. A second call before that
   * replaces the first.
   */
  wait(up: boolean, callback: () => void): void;
}

/** Two connections to relay between. */
export interface RelayJob {
  /** The client's connection. */
  readonly client: Connection;
  /** The target's connection. */
  readonly target: Connection;
  /** Bytes that the client sent already; they go first. Not yet counted. */
  readonly early: Uint8Array;
  /** Counts as the bytes go, and is told of the end. */
  readonly meter: RelayMeter;
  /** How fast they may go; absent if that is not limited. */
  readonly pace?: Pace | undefined;
}

/** How to open a UDP socket. */
export interface DatagramOptions {
  /** Where to bind; port 0 lets the system choose. `::` takes IPv6 alone. */
  readonly address: SocketAddress;
  /** Called for each datagram. `bytes` are the callee's to keep. */
  readonly onDatagram: (bytes: Uint8Array, ip: IpAddress, port: number) => void;
}

/** An open UDP socket. */
export interface DatagramSocket {
  /** Where it is bound. */
  readonly address: SocketAddress;
  /** Sends a datagram or, as the network may, loses it. `bytes` must not change afterwards. */
  send(bytes: Uint8Array, ip: IpAddress, port: number): void;
  /** Closes it. Idempotent. */
  close(): void;
}
