import type { Connection, Duplex } from "../runtime/runtime.ts";
import { Within } from "./within.ts";

/**
 * Gives bytes back to a connection that they were read from.
 *
 * @param connection The connection; nobody reads from it now.
 * @param bytes What was read too far.
 * @returns The same connection where it takes bytes back, as those of all our runtimes do, or else one around it.
 */
export function giveBack(connection: Connection & Duplex, bytes: Uint8Array): Connection & Duplex {
  if (bytes.length === 0) return connection;
  const taker = connection.giveBack === undefined ? new Within(connection) : connection;
  taker.giveBack?.(bytes);
  return taker;
}
