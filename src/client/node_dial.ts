/**
 * Sockets of Node's through proxies.
 *
 * @module
 */

import type { Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { NodeStream } from "../runtime/node_stream.ts";
import type { ClientOptions } from "./client_options.ts";
import { connect } from "./connect.ts";

/**
 * Connects through proxies.
 *
 * @returns A stream with the manners of a socket.
 * @throws {ProxyError} See `connect`.
 */
export async function dialSocket(host: string, port: number, options: ClientOptions): Promise<Socket> {
  const bare = host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
  return new NodeStream(await connect({ host: bare, port }, options)) as unknown as Socket;
}

/** Speaks TLS with whoever is at the other end; `secureConnect` says when it is done. */
export function secureSocket(socket: Socket, options: ConnectionOptions): TLSSocket {
  return connectTls({ ALPNProtocols: ["http/1.1"], ...options, socket });
}
