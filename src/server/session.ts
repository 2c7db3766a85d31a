/**
 * One client, from accept to end.
 *
 * @module
 */

import { Encapsulated } from "../auth/encapsulated.ts";
import type { Encapsulation } from "../auth/method.ts";
import { LightSignal } from "../client/light_signal.ts";
import { NetError } from "../net/errors.ts";
import type { Lease } from "../policy/limiter.ts";
import type { Grant, RequestInfo } from "../policy/rules.ts";
import type { Abortable, Connection, Pace, RelayMeter } from "../runtime/runtime.ts";
import { Channel } from "../stream/channel.ts";
import type { Timed } from "./deadlines.ts";
import type { ForwardPlan } from "./forward_plan.ts";
import type { CloseCause, SessionSummary } from "./observer.ts";
import type { Seat } from "./roster.ts";
import type { Service } from "./service.ts";
import { OUT_OF_TIME, type Phase } from "./phase.ts";
import { SessionRecord } from "./session_record.ts";

/** Why a session was stopped. */
export interface Stop {
  readonly reason: NetError;
  readonly cause: CloseCause;
}

/** How long a refused client may take to read its refusal and leave, in milliseconds (RFC 1928 allows 10 s). */
const CLOSING_TIME = 2_000;

/**
 * The state of one session: how far it has come, its deadline, and the connections it holds. It counts the relay's
 * bytes itself, so that a relayed connection costs no further object.
 */
export class Session extends SessionRecord implements RelayMeter, Timed {
  /** Is told of the end of the relay, if there is one. A function for all sessions: thousands hold it. */
  whenRelayed: ((session: Session, error: unknown) => void) | undefined;
  /** Is told that another service has taken over. */
  whenAdopted: (() => void) | undefined;
  /** Is told of the end of the session. */
  whenOver: ((session: Session, summary: SessionSummary) => void) | undefined;
  /** Makes the session that goes on with this one's connection, if there may be one. */
  succeed: ((session: Session) => Session | undefined) | undefined;
  /** Its place with the server. */
  seat: Seat<Session> | undefined;
  #clock: Seat<Timed> | undefined;
  #phase: Phase = "handshake";
  #deadline = Infinity;
  #activity = 0;
  #peer: Connection | undefined;
  /** Behind the signal that others see, made when one asks for it. */
  #abort: AbortController | undefined;
  /** Behind the signal of our own dial, gone with it. */
  #dial: LightSignal | undefined;
  /** Rejects what {@linkcode until} waits for. */
  #stopWaiting: ((reason: NetError) => void) | undefined;
  #isWatched = false;
  #stopped: Stop | undefined;
  /** The place within its limits. */
  #lease: Lease | undefined;

  /** A session that goes on where this one leaves off, with the same client. */
  successor(service: Service): Session {
    return new Session(service, this.connection, this.listener, this.listenerName, this.channel);
  }

  /** Goes on within what a method put around the client's bytes. */
  encapsulate(encapsulation: Encapsulation): void {
    if (encapsulation.duplex === undefined && encapsulation.datagrams === undefined) return;
    this.connection = new Encapsulated(this.connection, encapsulation);
    this.channel = new Channel(this.connection);
    if (this.#stopped !== undefined) this.connection.close();
  }

  /** What its client came for, if that was fixed before. */
  get forward(): ForwardPlan | undefined {
    return undefined;
  }

  /** How long it may go without a byte at most, in milliseconds, whatever else is said. */
  get longestSilence(): number {
    return Infinity;
  }

  /** Why the session was stopped, if it was. */
  get stopped(): Stop | undefined {
    return this.#stopped;
  }

  /** How fast the session may go, if that is limited. */
  get pace(): Pace | undefined {
    return this.#lease?.pace;
  }

  /** What the session is doing. */
  get phase(): Phase {
    return this.#phase;
  }

  /** Whether nothing was granted yet: its client waits for the answer to a request, or has made none. */
  get isPending(): boolean {
    return this.command === undefined || this.#phase === "lookup" || this.#phase === "connect";
  }

  /** Aborts when the session ends or is stopped. Made when somebody first asks for it. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#stopped !== undefined) this.#abort.abort(this.#stopped.reason);
    return this.#abort.signal;
  }

  /** The other end, once there is one. It is closed with the session. */
  set peer(peer: Connection) {
    this.#peer = peer;
    if (this.#stopped !== undefined) peer.close();
  }

  /** Goes on under another service. What was granted must be asked for again: see {@linkcode objection}. */
  adopt(service: Service): void {
    const runs = this.#clock !== undefined;
    this.stopClock();
    this.service = service;
    if (runs) this.startClock();
    this.whenAdopted?.();
  }

  /** From now on deadlines count. */
  startClock(): void {
    this.#clock = this.service.deadlines.add(this);
  }

  /** Deadlines count no more. */
  stopClock(): void {
    if (this.#clock !== undefined) this.service.deadlines.delete(this.#clock);
    this.#clock = undefined;
  }

  /** Begins a phase and its deadline. */
  enter(phase: Phase): void {
    this.#phase = phase;
    this.#deadline = performance.now() + this.#time();
  }

  /** The relay is over. */
  relayed(error?: unknown): void {
    this.whenRelayed?.(this, error);
  }

  /** One direction of the relay has ended: the other has less time to be silent. */
  halfClosed(): void {
    this.enter("halfClosed");
  }

  /**
   * Takes the session's place within its limits, now or later. It is given back with {@linkcode Session.leave}.
   *
   * @param grant What the rules allowed.
   * @throws {NetError} `not-allowed`, if there is none.
   */
  admit(grant: Grant | undefined): Promise<void> | undefined {
    this.ruling = grant;
    const admission = this.service.limiter?.admit(this as RequestInfo, grant?.limits);
    if (admission instanceof Promise) return admission.then((lease) => this.#take(lease));
    this.#take(admission);
    return undefined;
  }

  /** Gives the place back. */
  leave(): void {
    const lease = this.#lease;
    this.#lease = undefined;
    lease?.used(this.sent, this.received);
    lease?.release();
  }

  tick(now: number): void {
    const activity = this.sent + this.received + this.datagrams;
    if (activity !== this.#activity) {
      this.#activity = activity;
      if (this.#isIdle) this.#deadline = now + this.#time();
    }
    if (this.#phase === "connect" && !this.#isWatched) this.#watchClient(); // a dial that takes its time
    if (this.#lease !== undefined) this.#checkLease(this.#lease, now);
    if (now < this.#deadline) return;
    this.#deadline = Infinity;
    this.stop(new NetError("timeout", `${OUT_OF_TIME[this.#phase]} within ${this.#time() / 1000} s`), "timeout");
  }

  /**
   * Ends what the session waits for. While it waits for the network on the client's behalf the client still gets its
   * reply; else both ends are closed.
   */
  stop(reason: NetError, cause: CloseCause): void {
    this.#stopped ??= { reason, cause };
    const waits = this.#stopWaiting !== undefined;
    this.#stopWaiting?.(reason);
    this.#dial?.abort(reason);
    this.#abort?.abort(reason);
    const repliesFirst = cause === "timeout" &&
      (this.#phase === "lookup" || this.#phase === "connect" || this.#phase === "bind" || waits && this.#isIdle);
    if (!repliesFirst) this.close();
  }

  /**
   * Waits for a promise, or for the session to be stopped.
   *
   * @throws What the promise is rejected with, or the reason for the stop.
   */
  until<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#stopWaiting = reject;
      promise.then(resolve, reject).finally(() => {
        if (this.#stopWaiting === reject) this.#stopWaiting = undefined; // else another wait has begun
      });
      if (this.#stopped !== undefined) reject(this.#stopped.reason);
    });
  }

  /** Dials, with a signal that aborts when the session is stopped and that nobody keeps afterwards. */
  async dialling<T>(dial: (signal: Abortable) => Promise<T>): Promise<T> {
    const signal = new LightSignal();
    this.#dial = signal;
    if (this.#stopped !== undefined) signal.abort(this.#stopped.reason);
    try {
      return await dial(signal);
    } finally {
      this.#dial = undefined;
    }
  }

  /** Closes what the session holds, and ends whatever hangs on its signal. */
  close(): void {
    this.release();
    this.connection.close();
  }

  /** Comes to its end after what it serves, if it is of a kind that would go on. */
  windDown(): void {
    this.isLast = true;
    if (this.isResting) this.close();
  }

  /** Closes all but the client's connection, with which another session goes on. */
  release(): void {
    this.#abort?.abort(new NetError("closed", "The session is over"));
    this.#peer?.close();
  }

  /** Lets a refused client read its refusal: a close with bytes unread would be a reset and could overtake the reply. */
  async closeGently(): Promise<void> {
    this.enter("closing");
    try {
      this.channel.duplex.closeWrite();
      this.channel.takeRest();
      while (await this.channel.readChunk() !== null);
    } catch {
      // It left in another way, or in its own time.
    }
  }

  #take(lease: Lease | undefined): void {
    if (this.#stopped === undefined) this.#lease = lease;
    else lease?.release(); // it came too late
  }

  #checkLease(lease: Lease, now: number): void {
    const exceeded = lease.used(this.sent, this.received);
    if (exceeded !== undefined) return this.stop(exceeded, "limit");
    if (now - this.startedAt < lease.lifetime) return;
    this.stop(new NetError("timeout", `It lasted for ${lease.lifetime / 1000} s, which is its limit`), "limit");
  }

  /** Stops the dial if the client resets meanwhile. Its mere end is no reason: it may have said all that it has to say. */
  #watchClient(): void {
    this.#isWatched = true;
    const left = (): void => {
      if (this.#phase === "connect") this.stop(new NetError("reset", "The client left"), "vanished");
    };
    this.connection.closed.then(left, left);
  }

  /** Whether its time is that since the last byte. */
  get #isIdle(): boolean {
    return this.#phase === "idle" || this.#phase === "halfClosed";
  }

  #time(): number {
    const { timeouts } = this.service;
    if (this.#phase === "closing") return CLOSING_TIME;
    if (!this.#isIdle) return timeouts[this.#phase] || Infinity;
    const idle = Math.min(timeouts.idle || Infinity, this.#lease?.idle ?? Infinity, this.longestSilence);
    return this.#phase === "idle" ? idle : Math.min(timeouts.halfClosed || Infinity, idle);
  }
}
