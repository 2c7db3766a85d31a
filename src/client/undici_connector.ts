/**
 * A connector for undici, the HTTP client within Node's `fetch`.
 *
 * @module
 */

import type { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { type ClientOptions, hopsOf } from "./client_options.ts";
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
 * @param client The proxy, and how to go through it.
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
  return ({ hostname, protocol, port, servername }, callback) => {
    const isSecure = protocol === "https:";
    const run = async (): Promise<Socket> => {
      const socket = await dialSocket(hostname, port === "" ? isSecure ? 443 : 80 : Number(port), options);
      if (!isSecure) return socket;
      const name = servername ? { servername } : {};
      const secured = secureSocket(socket, { host: hostname, ...name, ...tls });
      await new Promise<void>((resolve, reject) => {
        secured.once("error", reject).once("secureConnect", () => {
          secured.off("error", reject);
          resolve();
        });
      });
      return secured;
    };
    run().then((socket) => callback(null, socket), (error) => callback(error, null));
  };
}
