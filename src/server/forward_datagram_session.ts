/**
 * A client of a UDP forward.
 *
 * @module
 */

import type { IpAddress, SocketAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import type { RequestInfo } from "../policy/rules.ts";
import type { Connection, DatagramSocket, Duplex } from "../runtime/runtime.ts";
import type { ForwardClient } from "./forward_clients.ts";
import type { ForwardPlan } from "./forward_plan.ts";
import { ForwardSession } from "./forward_session.ts";
import type { Service } from "./service.ts";

/** Datagrams that wait for the way to the target; more of them are dropped. */
const MAX_WAITING = 16;

/** How long it may be silent while the server drains, in milliseconds: it cannot say that it is done. */
const DRAINING_SILENCE = 2_000;

/** Where a client's datagrams arrive. */
export interface DatagramPort {
  /** What they arrive at, and answers leave from. */
  readonly socket: DatagramSocket;
  /** The client is gone. Idempotent. */
  forget(session: DatagramSession): void;
}

/** A session of datagrams. It lasts for as long as some come or go. */
export class DatagramSession extends ForwardSession implements ForwardClient {
  readonly ip: IpAddress;
  readonly port: number;
  isFresh = true;
  nextClient: ForwardClient | undefined;
  position = -1;
  readonly #at: DatagramPort;
  readonly #waiting: Uint8Array[] = [];
  #send: ((data: Uint8Array) => void) | undefined;
  #isDraining = false;
  #hasGivenWay = false;

  /**
   * @param service What all sessions share.
   * @param at Where its datagrams arrive.
   * @param client Where they come from.
   * @param name What the port is called.
   * @param plan Where they are to go.
   */
  constructor(
    service: Service,
    at: DatagramPort,
    client: SocketAddress,
    name: string | undefined,
    plan: ForwardPlan,
  ) {
    super(service, new NoConnection(at.socket.address, client), at.socket.address, name, plan);
    this.#at = at;
    this.ip = client.ip;
    this.port = client.port;
  }

  override get longestSilence(): number {
    return this.#isDraining ? Math.min(DRAINING_SILENCE, super.longestSilence) : super.longestSilence;
  }

  /** Whether it ended as it should: by its silence, or for another that came in its place. */
  get isDone(): boolean {
    return this.#hasGivenWay || this.phase === "idle" && this.stopped?.cause === "timeout";
  }

  /** The way to the target. What has come already goes now. */
  set outlet(send: (data: Uint8Array) => void) {
    this.#send = send;
    for (const bytes of this.#waiting.splice(0)) this.#pass(bytes);
  }

  /** Takes a datagram of the client's. */
  fromClient(bytes: Uint8Array): void {
    if (this.phase === "closing") return; // it was refused
    this.isFresh = true;
    this.datagrams++;
    if (this.#send !== undefined) this.#pass(bytes);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push(bytes);
  }

  /** Takes a datagram of the target's. */
  fromTarget(bytes: Uint8Array): void {
    if (this.pace?.takeAll(bytes.length, false) === false) return;
    this.isFresh = true;
    this.datagrams++;
    this.received += bytes.length;
    this.#at.socket.send(bytes, this.ip, this.port);
  }

  /** Ends for another client to come in its place. */
  giveWay(): void {
    this.#hasGivenWay = this.phase === "idle";
    if (this.#hasGivenWay) this.close();
    else this.stop(new NetError("closed", "Another client needed its place"), "limit");
  }

  override windDown(): void {
    super.windDown();
    this.#isDraining = true;
    if (this.phase === "idle") this.enter("idle");
  }

  override close(): void {
    super.close();
    this.#at.forget(this);
  }

  #pass(bytes: Uint8Array): void {
    const { authoriser } = this.service;
    if (!authoriser.asksDatagrams) return this.#go(bytes);
    const { target } = this.forward;
    authoriser.datagram({ target, size: bytes.length }, this as RequestInfo).then((may) => may && this.#go(bytes));
  }

  #go(bytes: Uint8Array): void {
    if (this.pace?.takeAll(bytes.length, true) === false) return;
    this.sent += bytes.length;
    this.#send!(bytes);
  }
}

/** What stands for the connection of a client that has none: nothing comes through it, and its end is the client's. */
class NoConnection implements Connection, Duplex {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  #isClosed = false;
  #endRead: ((error: NetError) => void) | undefined;
  #end: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(local: SocketAddress, remote: SocketAddress) {
    this.local = local;
    this.remote = remote;
  }

  get closed(): Promise<void> {
    return this.#closed ??= this.#isClosed ? Promise.resolve() : new Promise((resolve) => this.#end = resolve);
  }

  get readable(): ReadableStream<Uint8Array> {
    return new ReadableStream();
  }

  get writable(): WritableStream<Uint8Array> {
    return new WritableStream();
  }

  read(): Promise<null> {
    if (this.#isClosed) return Promise.reject(ended());
    return new Promise((_resolve, reject) => this.#endRead = reject);
  }

  write(): undefined {}

  closeWrite(): void {}

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#endRead?.(ended());
    this.#end?.();
  }
}

function ended(): NetError {
  return new NetError("closed", "Cannot read: the association is over");
}
