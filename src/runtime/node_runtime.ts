import { connect } from "./node_connect.ts";
import { bindDatagram } from "./node_datagram.ts";
import { interfaces, lookup, reverseLookup } from "./node_dns.ts";
import { listen } from "./node_listener.ts";
import { query, reverseQuery } from "./node_name_server.ts";
import { relayNatively } from "./native_relay.ts";
import { NodeConnection } from "./node_socket.ts";
import type { Runtime } from "./runtime.ts";

/** How to make a runtime of the `node:` modules. */
export interface NodeRuntimeOptions {
  /** What it is called. */
  readonly name: string;
  /**
   * Whether sockets read into our buffers. `false` reads by `'data'` events.
   *
   * @default {true}
   */
  readonly onread?: boolean;
  /**
   * Whether a listener that ran out of descriptors needs to be told to listen again.
   *
   * @default {false}
   */
  readonly mortal?: boolean;
}

/** A runtime of the `node:` modules: Node's own, and Deno's TCP. */
export function nodeRuntime(options: NodeRuntimeOptions): Runtime {
  const { name, onread = true, mortal = false } = options;
  return {
    name,
    listen: (listenOptions) => listen(listenOptions, { onread, mortal }),
    connect: (to, connectOptions = {}) => connect(to, connectOptions, onread),
    startTls: async (connection, tlsOptions) => (await import("./node_tls.ts")).startTls(connection, tlsOptions),
    bindDatagram,
    lookup,
    reverseLookup,
    query,
    reverseQuery,
    interfaces,
    relay(job) {
      const { client, target } = job;
      if (!(client instanceof NodeConnection) || !(target instanceof NodeConnection)) return false;
      return relayNatively(client, target, job);
    },
  };
}
