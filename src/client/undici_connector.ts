/**
 * A connector for undici, the HTTP client within Node's `fetch`.
 *
 * @module
 */

import type { Socket } from "node:net";
import type { ConnectionOptions, TLSSocket } from "node:tls";
import { formatHostPort } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { type ClientOptions, DEFAULT_TIMEOUT, hopsOf } from "./client_options.ts";
import { deadline } from "./deadline.ts";
import { dialSocket, secureSocket } from "./node_dial.ts";

/** Where undici wants to go. */
export interface ConnectorTarget {
  /** A name or an IP address. */
  readonly hostname: string;
  /** `http:` or `https:`. */
  readonly protocol: string;
  /** The port; empty for the protocol's own. */
  readonly port: string;
  /** The name to ask for in TLS, if it is not the host's. */
  readonly servername?: string | null | undefined;
}

/** What undici's `connect` option takes. */
export type Connector = (
  target: ConnectorTarget,
  callback: (...result: [error: null, socket: Socket] | [error: Error, socket: null]) => void,
) => void;

/**
 * Takes undici through a proxy, or a chain of them.
 *
 * @param client The proxy, and how to go through it. Its time limit is for TLS with the target as well.
 * @param tls How to speak TLS with targets: `ca` and the like.
 * @throws {SyntaxError} If the proxy cannot be read.
 *
 * @example
 * ```ts ignore
 * import { Agent, fetch } from "undici";
 * import { undiciConnector } from "@x/socks/client/node";
 *
 * const dispatcher = new Agent({ connect: undiciConnector({ proxy: "socks5h://127.0.0.1" }) });
 * await fetch("https://example.com", { dispatcher });
 * ```
 */
export function undiciConnector(client: ClientOptions, tls: ConnectionOptions = {}): Connector {
  const options = { ...client, proxy: hopsOf(client.proxy) };
  const { timeout = DEFAULT_TIMEOUT } = client;
  return ({ hostname, protocol, port, servername }, callback) => {
    const isSecure = protocol === "https:";
    const run = async (): Promise<Socket> => {
      const begun = performance.now();
      const number = port === "" ? isSecure ? 443 : 80 : Number(port);
      const socket = await dialSocket(hostname, number, options);
      if (!isSecure) return socket;
      const name = servername ? { servername } : {};
      const secured = secureSocket(socket, { host: hostname, ...name, ...tls });
      const problem = await secure(secured, client.signal, timeout - (performance.now() - begun));
      if (problem === undefined) return secured;
      const { code, message } = problem;
      const words = code === "timeout" ? `no end of it within ${timeout} ms` : message;
      throw new NetError(code, `Cannot speak TLS with "${formatHostPort(hostname, number)}": ${words}`);
    };
    run().then((socket) => callback(null, socket), (error) => callback(error, null));
  };
}

/**
 * Waits for the end of TLS's handshake.
 *
 * @returns Why it was given up, if it was.
 * @throws What TLS says is wrong.
 */
async function secure(
  socket: TLSSocket,
  signal: AbortSignal | undefined,
  timeout: number,
): Promise<NetError | undefined> {
  const limit = deadline(signal, Math.max(0, timeout));
  try {
    return await new Promise<NetError | undefined>((resolve, reject) => {
      const giveUp = (): void => {
        resolve(limit.signal.reason);
        socket.destroy();
      };
      socket.on("error", reject).once("secureConnect", () => {
        socket.off("error", reject);
        resolve(undefined);
      });
      socket.once("close", () => reject(new NetError("closed", "Cannot speak TLS: the connection ended")));
      if (limit.signal.aborted) giveUp();
      else limit.signal.addEventListener("abort", giveUp, { once: true });
    });
  } finally {
    limit.end();
  }
}
