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
import { interfaces, lookup } from "./node_dns.ts";
import type { Runtime } from "./runtime.ts";

/** Bun's sockets. */
export const bun: Runtime = {
  name: "bun",
  listen,
  connect,
  bindDatagram,
  lookup,
  interfaces,
  relay(job) {
    const { client, target } = job;
    if (!(client instanceof BunConnection) || !(target instanceof BunConnection)) return undefined;
    return relayNatively(client, target, job);
  },
};
