/**
 * Agents for `node:http` and `node:https`.
 *
 * @module
 */

import { Agent as HttpAgent, type AgentOptions, type ClientRequestArgs } from "node:http";
import { Agent as HttpsAgent, type AgentOptions as HttpsAgentOptions } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { ConnectionOptions } from "node:tls";
import { type ClientOptions, hopsOf } from "./client_options.ts";
import { dialSocket, secureSocket } from "./node_dial.ts";

type Created = (error: Error | null, socket: Socket) => void;

/**
 * Takes `node:http` through a proxy, or a chain of them.
 *
 * @example
 * ```ts ignore
 * import { get } from "node:http";
 * import { SocksAgent } from "@x/socks/client/node";
 *
 * get("http://example.com", { agent: new SocksAgent({ proxy: "socks5h://127.0.0.1" }) }, (response) => {
 *   response.pipe(process.stdout);
 * });
 * ```
 */
export class SocksAgent extends HttpAgent {
  readonly #client: ClientOptions;

  /**
   * Makes an agent.
   *
   * @param client The proxy, and how to go through it.
   * @param options What any agent takes: `keepAlive`, `maxSockets` and the like.
   * @throws {SyntaxError} If the proxy cannot be read.
   */
  constructor(client: ClientOptions, options?: AgentOptions) {
    super(options);
    this.#client = { ...client, proxy: hopsOf(client.proxy) };
  }

  /** Called by `node:http`. */
  override createConnection(options: ClientRequestArgs, callback?: unknown): Duplex {
    return open(options, this.#client, callback as Created);
  }
}

/** Takes `node:https` through a proxy, as {@linkcode SocksAgent} does `node:http`. */
export class SocksHttpsAgent extends HttpsAgent {
  readonly #client: ClientOptions;

  /**
   * Makes an agent.
   *
   * @param client The proxy, and how to go through it.
   * @param options What any agent for https takes: `keepAlive`, `ca` and the like.
   * @throws {SyntaxError} If the proxy cannot be read.
   */
  constructor(client: ClientOptions, options?: HttpsAgentOptions) {
    super(options);
    this.#client = { ...client, proxy: hopsOf(client.proxy) };
  }

  /** Called by `node:https`. */
  override createConnection(options: ClientRequestArgs, callback?: unknown): Duplex {
    return open(
      options,
      this.#client,
      callback as Created,
      (socket) => secureSocket(socket, options as ConnectionOptions),
    );
  }
}

/** The socket is handed over later: what is returned is nothing, though the types of some versions want a stream. */
function open(
  { host, port }: ClientRequestArgs,
  client: ClientOptions,
  created: Created,
  wrap: (socket: Socket) => Socket = (socket) => socket,
): Duplex {
  dialSocket(host ?? "localhost", Number(port), client)
    .then((socket) => created(null, wrap(socket)), (error) => created(error, undefined as never));
  return undefined as unknown as Duplex;
}
