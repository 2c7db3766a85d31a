/**
 * The server.
 *
 * @module
 */

import type { SocketAddress, UnixAddress } from "../net/address.ts";
import { currentRuntime } from "../runtime/detect.ts";
import type { ServeOptions } from "./options.ts";
import { RunningServer } from "./running_server.ts";

/** A running server. */
export interface Server extends AsyncDisposable {
  /** Where it listens, in the order asked for, with real ports. Changes with a reload. */
  readonly addresses: readonly (SocketAddress | UnixAddress)[];
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
   * @throws What {@linkcode serve} throws for them; {@linkcode NetError} `closed` if the server is closing.
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
  const server = new RunningServer(options.runtime ?? await currentRuntime());
  await server.start(options);
  return server;
}
