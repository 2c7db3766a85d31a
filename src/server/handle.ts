/**
 * Sessions on connections that somebody else accepted.
 *
 * @module
 */

import { currentRuntime } from "../runtime/detect.ts";
import type { Connection, StreamPair } from "../runtime/runtime.ts";
import type { SessionSummary } from "./observer.ts";
import type { HandleOptions } from "./options.ts";
import { serveSession } from "./serve_session.ts";
import { openService, type Service } from "./service.ts";
import { Session } from "./session.ts";

/** One service for each options object, so that limits, numbers and timers are shared among its connections. */
const services = new WeakMap<HandleOptions, Promise<Service>>();
const NO_OPTIONS: HandleOptions = {};

/**
 * Serves SOCKS on one connection: a WebSocket's streams, a Worker's socket, a pipe. Options used for many connections
 * should be one object: its limits then hold for all of them together. A connection without a `remote` counts as a
 * client that is not on this machine.
 *
 * @param connection Anything with a `readable` and a `writable`. Both are closed at the end.
 * @param options How to serve it.
 * @returns The account of the session, when it is over. Never rejects for what the client does.
 * @throws {RangeError} If an option makes no sense.
 *
 * @example Serve a pair of streams, with a dialler of one's own
 * ```ts
 * import { handle, memory } from "@x/socks";
 * import { assertEquals } from "@std/assert";
 *
 * const toServer = new TransformStream<Uint8Array, Uint8Array>();
 * const toClient = new TransformStream<Uint8Array, Uint8Array>();
 * const session = handle({ readable: toServer.readable, writable: toClient.writable }, { runtime: memory() });
 * const writer = toServer.writable.getWriter();
 * await writer.write(Uint8Array.of(5, 1, 0)); // the greeting
 * const { value } = await toClient.readable.getReader().read();
 * assertEquals(value, Uint8Array.of(5, 0)); // method 00: no authentication
 * await writer.close();
 * assertEquals((await session).cause, "vanished");
 * ```
 */
export async function handle(
  connection: Connection | StreamPair,
  options: HandleOptions = NO_OPTIONS,
): Promise<SessionSummary> {
  let service = services.get(options);
  if (service === undefined) {
    service = newService(options);
    services.set(options, service);
  }
  const session = new Session(await service, connection, undefined);
  return await new Promise((resolve) => {
    session.whenOver = (_session, summary) => resolve(summary);
    session.succeed = succeed;
    serveSession(session);
  });
}

/** What over HTTP leads elsewhere counts as one with what came before. */
function succeed(session: Session): Session {
  const next = session.successor(session.service);
  const { whenOver } = session;
  session.whenOver = (_session, { sent, received, duration }) => {
    next.whenOver = (last, summary) =>
      whenOver?.(last, {
        ...summary,
        sent: sent + summary.sent,
        received: received + summary.received,
        duration: duration + summary.duration,
      });
  };
  next.succeed = succeed;
  return next;
}

async function newService(options: HandleOptions): Promise<Service> {
  return await openService(options, options.runtime ?? await currentRuntime());
}
