/**
 * The adapter for Deno. Its TCP goes by `node:net`, for what `Deno.listen` and `Deno.connect` lack: their connections
 * cannot be reset, a connect ignores the local address it is given, `reusePort` needs `--unstable-net`, and a relay
 * over them costs a third more CPU than `node:net` reading into buffers of ours. A connection that you accepted with
 * `Deno.listen` or `Deno.listenTls` is served all the same: see {@linkcode fromDenoConn}. UDP goes by
 * `Deno.listenDatagram` where that is to be had (`--unstable-net`, or `"unstable": ["net"]` in deno.json).
 *
 * @module
 */

import { bindDenoDatagram, type ListenDatagram } from "./deno_datagram.ts";
import { nodeRuntime } from "./node_runtime.ts";
import type { Runtime } from "./runtime.ts";

export { type DenoConnLike, fromDenoConn } from "./deno_conn.ts";

const { listenDatagram } = (globalThis as unknown as { Deno: { listenDatagram?: ListenDatagram } }).Deno;
const base: Runtime = { ...nodeRuntime({ name: "deno", mortal: true }), queryBlursFailures: true };

/** Deno's sockets. */
export const deno: Runtime = listenDatagram === undefined
  ? base
  : { ...base, bindDatagram: (options) => bindDenoDatagram(listenDatagram, options) };
