/**
 * Listeners, their sessions and their end.
 *
 * @module
 */

import type { SocketAddress, UnixAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import type { Denial } from "../policy/rules.ts";
import type { Connection, Listener, Runtime } from "../runtime/runtime.ts";
import { type Door, Doors, type PreparedDoors } from "./doors.ts";
import type { OpenForward } from "./forward.ts";
import { ForwardSession } from "./forward_session.ts";
import type { ServeOptions } from "./options.ts";
import { objection, objectionToUser, objectionToWay } from "./recheck.ts";
import { Roster } from "./roster.ts";
import { serveSession } from "./serve_session.ts";
import { openService, type Service } from "./service.ts";
import { Session } from "./session.ts";

/** What `setTimeout` can count to. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A running server. */
export interface Server extends AsyncDisposable {
  /** Where it serves SOCKS, in the order asked for, with real ports. Changes with a reload. */
  readonly addresses: readonly (SocketAddress | UnixAddress)[];
  /** Its forwards, in the order asked for; one whose listener has several addresses is there for each. */
  readonly forwards: readonly OpenForward[];
  /** How many sessions are open. */
  readonly sessions: number;
  /** Fulfilled when the server has stopped and its last session is over. */
  readonly closed: Promise<void>;
  /**
   * Goes on with other options in place of all that it had. Listeners that both name stay open; the runtime stays.
   *
   * New sessions, and those which have not asked for anything yet, are served by the new options. What fails leaves
   * everything as it was.
   *
   * @param options The new options.
   * @param how What becomes of running sessions: `keep` lets them go on as they were let in; `recheck` asks the new
   * users and rules about each and ends those that they do not allow.
   * @throws What `serve` throws for them; {@linkcode NetError} `closed` if the server is closing.
   */
  reload(options: ServeOptions, how?: { readonly sessions?: "keep" | "recheck" }): Promise<void>;
  /** Stops listening and ends every session at once. */
  close(): Promise<void>;
  /**
   * Stops listening, lets the sessions finish, and ends those still open after the deadline.
   *
   * @param deadline In milliseconds; without one it waits for as long as they take.
   */
  drain(deadline?: number): Promise<void>;
}

/** A server that runs, from its first listener to its last session. */
export class RunningServer implements Server {
  readonly closed: Promise<void>;
  readonly #runtime: Runtime;
  /** What serves new sessions. Older ones keep what let them in. */
  #service: Service | undefined;
  readonly #doors: Doors;
  readonly #sessions = new Roster<Session>();
  #sessionEnded: (() => void) | undefined;
  #accepting = 0;
  #isStopped = false;
  #end!: () => void;
  #reloading: Promise<void> = Promise.resolve();

  /** @param runtime The system it runs on. */
  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#doors = new Doors(runtime, {
      service: () => this.#service!,
      hasRoom: () => this.#hasRoom,
      begin: (session) => void serveSession(this.#enlist(session)),
    });
    this.closed = new Promise((resolve) => this.#end = resolve);
  }

  get addresses(): readonly (SocketAddress | UnixAddress)[] {
    return this.#doors.addresses;
  }

  get forwards(): readonly OpenForward[] {
    return this.#doors.forwards;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Begins to serve, or goes on with other options. What fails changes nothing. */
  async start(options: ServeOptions): Promise<Service | undefined> {
    const previous = this.#service;
    const service = await openService(options, this.#runtime, previous);
    let doors: PreparedDoors;
    try {
      doors = await this.#prepare(options, service);
    } catch (error) {
      await service.discard(previous);
      throw error;
    }
    this.#service = service;
    service.begin();
    for (const [key, { listener }] of doors.use()) this.#accept(key, listener);
    this.#sessionEnded?.(); // there may be room for more
    return previous;
  }

  reload(options: ServeOptions, { sessions = "keep" }: { readonly sessions?: "keep" | "recheck" } = {}): Promise<void> {
    const reloading = this.#reloading.then(async () => {
      if (this.#isStopped) throw closing();
      const previous = await this.start(options);
      await this.#passOn(this.#service!, sessions === "recheck");
      await previous?.retire(this.#service!).catch(() => {}); // its store has told what it could not save
    });
    this.#reloading = reloading.catch(() => {});
    return reloading;
  }

  async close(): Promise<void> {
    this.#stopListening();
    const reason = new NetError("aborted", "The server is closing");
    for (const session of this.#sessions) session.stop(reason, "shutdown");
    await this.closed;
  }

  async drain(deadline?: number): Promise<void> {
    this.#stopListening();
    if (deadline === undefined || deadline > LONGEST_TIMER) return await this.closed;
    const timer = setTimeout(() => this.close(), deadline);
    await this.closed;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #prepare(options: ServeOptions, service: Service): Promise<PreparedDoors> {
    const doors = await this.#doors.prepare(options, service);
    if (!this.#isStopped) return doors;
    doors.discard(); // the end came meanwhile
    throw closing();
  }

  /** Sessions that were not granted anything yet are for the new service to judge, when they come to it. */
  async #passOn(service: Service, recheck: boolean): Promise<void> {
    const revoke = (session: Session, { deny }: Denial): void =>
      session.stop(new NetError("not-allowed", `Not allowed any more: ${deny}`), "revoked");
    await Promise.all(Array.from(this.#sessions, async (session) => {
      if (!session.isPending && !recheck) return;
      session.adopt(service);
      let denial: Denial | undefined;
      if (!session.isPending) denial = await objection(session, service) ?? objectionToWay(session, service);
      else if (session.user !== undefined) denial = objectionToUser(session, service);
      if (denial !== undefined) revoke(session, denial);
    }));
  }

  #stopListening(): void {
    this.#isStopped = true;
    this.#doors.stop();
    for (const session of this.#sessions) session.windDown();
    this.#endIfOver();
  }

  async #accept(key: string, listener: Listener): Promise<void> {
    this.#accepting++;
    for await (const connection of listener) {
      while (!this.#hasRoom) await this.#anEnd();
      this.#serve(connection, listener.address, this.#doors.get(key));
    }
    this.#accepting--;
    this.#endIfOver();
  }

  #serve(connection: Connection, listener: SocketAddress | UnixAddress, door: Door | undefined): void {
    // It was accepted in the same turn as the end came, or waited for room at a place that is no more.
    if (this.#isStopped || door === undefined) return connection.close();
    const { name, plan } = door;
    serveSession(this.#enlist(
      plan === undefined
        ? new Session(this.#service!, connection, listener, name)
        : new ForwardSession(this.#service!, connection, listener, name, plan),
    ));
  }

  #enlist(session: Session): Session {
    session.seat = this.#sessions.add(session);
    session.whenOver = this.#whenOver;
    session.succeed = this.#succeed;
    return session;
  }

  readonly #succeed = (session: Session): Session | undefined =>
    this.#isStopped ? undefined : this.#enlist(session.successor(this.#service!));

  readonly #whenOver = (session: Session): void => {
    this.#sessions.delete(session.seat!);
    this.#sessionEnded?.();
    if (this.#isStopped) this.#endIfOver();
  };

  #endIfOver(): void {
    if (!this.#isStopped || this.#accepting > 0 || this.#sessions.size > 0) return;
    this.#service!.close().then(this.#end, this.#end);
  }

  get #hasRoom(): boolean {
    return this.#sessions.size < this.#service!.bounds.sessions;
  }

  /** Fulfilled when the next session ends. */
  #anEnd(): Promise<void> {
    const before = this.#sessionEnded;
    return new Promise((resolve) => {
      this.#sessionEnded = () => {
        this.#sessionEnded = undefined;
        before?.();
        resolve();
      };
    });
  }
}

function closing(): NetError {
  return new NetError("closed", "Cannot reload: the server is closing");
}
