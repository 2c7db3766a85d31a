/**
 * The adapter for Bun, over `Bun.listen`, `Bun.connect` and `Bun.udpSocket`.
 *
 * @module
 */

import { connect } from "./bun_connect.ts";
import { bindDatagram } from "./bun_datagram.ts";
import { listen } from "./bun_listener.ts";
import { BunConnection } from "./bun_socket.ts";
import { relayNatively } from "./native_relay.ts";
import { interfaces, lookup, reverseLookup } from "./node_dns.ts";
import { query, reverseQuery } from "./node_name_server.ts";
import { SocketConnection } from "./socket_connection.ts";
import type { Runtime } from "./runtime.ts";

/** Bun's sockets. */
export const bun: Runtime = {
  name: "bun",
  listen,
  connect,
  startTls: async (connection, options) => (await import("./node_tls.ts")).startTls(connection, options),
  bindDatagram,
  lookup,
  reverseLookup,
  query,
  reverseQuery,
  interfaces,
  relay(job) {
    const { client, target } = job;
    // A client of an inherited socket came through `node:net`.
    if (!(client instanceof SocketConnection) || !(target instanceof BunConnection)) return false;
    return relayNatively(client, target, job);
  },
};
