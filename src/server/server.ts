/**
 * The server.
 *
 * @module
 */

import { currentRuntime } from "../runtime/detect.ts";
import type { ServeOptions } from "./options.ts";
import { RunningServer, type Server } from "./running_server.ts";

export type { Server } from "./running_server.ts";

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
