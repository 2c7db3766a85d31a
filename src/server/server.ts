/**
 * Listeners, their sessions and their end.
 *
 * @module
 */

import { isUnixAddress, type SocketAddress, type UnixAddress } from "../net/address.ts";
import { type HostPort, parseEndpoint } from "../net/endpoint.ts";
import { NetError } from "../net/errors.ts";
import { exposureProblem } from "../policy/exposure.ts";
import { targetOf } from "../protocol/address.ts";
import { currentRuntime } from "../runtime/detect.ts";
import type { Connection, Listener, Runtime } from "../runtime/runtime.ts";
import type { ListenAddress, ServeOptions } from "./options.ts";
import { serveSession } from "./serve_session.ts";
import { Service } from "./service.ts";
import { Session } from "./session.ts";

/** A running server. */
export interface Server extends AsyncDisposable {
  /** Where it listens, in the order asked for, with real ports. */
  readonly addresses: readonly (SocketAddress | UnixAddress)[];
  /** How many sessions are open. */
  readonly sessions: number;
  /** Fulfilled when the server has stopped and its last session is over. */
  readonly closed: Promise<void>;
  /** Stops listening and ends every session at once. */
  close(): Promise<void>;
  /**
   * Stops listening, lets the sessions finish, and ends those still open after the deadline.
   *
   * @param deadline In milliseconds; without one it waits for as long as they take.
   */
  drain(deadline?: number): Promise<void>;
}

/**
 * Starts a SOCKS4, 4a and 5 server. Without options it serves this machine on 127.0.0.1:1080.
 *
 * @param options Where to listen, whom to serve, and the seams.
 * @returns The server, listening.
 * @throws {TypeError} If it would serve other machines without users and without `open`.
 * @throws {SyntaxError} If a listen address cannot be read.
 * @throws {RangeError} If another option makes no sense.
 * @throws {NetError} If it cannot listen there.
 *
 * @example A server that says what it does
 * ```ts
 * import { formatAddress, serve } from "@x/socks";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await serve({
 *   listen: "127.0.0.1:0",
 *   users: [{ name: "ada", password: "lovelace" }],
 *   observer: { connected: ({ user, target }) => console.log(`${user?.name} reached ${target?.host}`) },
 * });
 * assertEquals(formatAddress(server.addresses[0]!).startsWith("127.0.0.1:"), true);
 * ```
 */
export async function serve(options: ServeOptions = {}): Promise<Server> {
  const runtime = options.runtime ?? await currentRuntime();
  const service = new Service(options, runtime);
  const places = [options.listen ?? "127.0.0.1:1080"].flat() as ListenAddress[];
  const addresses = (await Promise.all(places.map((place) => listenAddresses(place, runtime)))).flat();
  const problem = options.open === true ? undefined : exposureProblem(addresses, service.authenticate !== undefined);
  if (problem !== undefined) throw new TypeError(problem);
  const listeners: Listener[] = [];
  try {
    for (const address of addresses) listeners.push(await runtime.listen({ address }));
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }
  return new RunningServer(service, listeners);
}

/** A name stands for all of its addresses. */
async function listenAddresses(place: ListenAddress, runtime: Runtime): Promise<(SocketAddress | UnixAddress)[]> {
  const endpoint: HostPort | UnixAddress = typeof place === "string" ? parseEndpoint(place) : place;
  if ("path" in endpoint) return [endpoint];
  const { type, host, port } = targetOf(endpoint.host, endpoint.port);
  return (type === "name" ? await runtime.lookup(host) : [host]).map((ip) => ({ ip, port }));
}

/** What `setTimeout` can count to. */
const LONGEST_TIMER = 2 ** 31 - 1;

class RunningServer implements Server {
  readonly addresses: readonly (SocketAddress | UnixAddress)[];
  readonly closed: Promise<void>;
  readonly #service: Service;
  readonly #listeners: readonly Listener[];
  readonly #sessions = new Set<Session>();
  #sessionEnded: (() => void) | undefined;
  #isStopped = false;

  constructor(service: Service, listeners: readonly Listener[]) {
    this.#service = service;
    this.#listeners = listeners;
    this.addresses = listeners.map(({ address }) => address);
    for (const address of this.addresses) if (!isUnixAddress(address)) service.listeners.push(address);
    this.closed = this.#run();
  }

  get sessions(): number {
    return this.#sessions.size;
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

  #stopListening(): void {
    this.#isStopped = true;
    for (const listener of this.#listeners) listener.close();
  }

  async #run(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => this.#accept(listener)));
    while (this.#sessions.size > 0) await this.#anEnd();
    this.#service.deadlines.rest(); // a program may end as soon as its server has
  }

  async #accept(listener: Listener): Promise<void> {
    const most = this.#service.bounds.sessions;
    for await (const connection of listener) {
      while (this.#sessions.size >= most) await this.#anEnd();
      this.#open(connection, listener.address);
    }
  }

  async #open(connection: Connection, listener: SocketAddress | UnixAddress): Promise<void> {
    if (this.#isStopped) return connection.close(); // it was accepted in the same turn as the end came
    const session = new Session(this.#service, connection, listener);
    this.#sessions.add(session);
    await serveSession(session);
    this.#sessions.delete(session);
    this.#sessionEnded?.();
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
