/**
 * A handshake over a connection that is there already: what a chain is made of.
 *
 * @module
 */

import type { Target } from "../protocol/address.ts";
import type { Abortable, Connection, Duplex, StreamPair } from "../runtime/runtime.ts";
import { duplexOf } from "../stream/duplex_of.ts";
import { giveBack } from "../stream/give_back.ts";
import type { ClientMethod } from "./client_method.ts";
import { Dialogue, type DialogueOptions, type ProxyRequest } from "./dialogue.ts";
import { httpHandshake } from "./http_handshake.ts";
import { isSocks4, type Proxy } from "./proxy.ts";
import { proxyError, type ProxyPhase } from "./proxy_error.ts";
import { readSocks4Reply, socks4Handshake } from "./socks4_handshake.ts";
import { readSocks5Reply, socks5Handshake } from "./socks5_handshake.ts";

export type { DialogueOptions, ProxyRequest } from "./dialogue.ts";

/** How to talk to a proxy. */
export interface HandshakeOptions extends DialogueOptions {
  /**
   * Whether to send the login, the request and the payload before the proxy has answered: a round trip instead of two
   * or three. Some servers (microsocks) do not bear it.
   *
   * @default {false}
   */
  readonly optimistic?: boolean | undefined;
  /**
   * Methods to offer to SOCKS5 proxies before user and password, best first. With any it is never optimistic.
   *
   * @default {[]}
   */
  readonly methods?: readonly ClientMethod[] | undefined;
  /** Ends it, and closes the connection, when it aborts. */
  readonly signal?: Abortable | undefined;
}

/** What a handshake leads to. */
export interface Handshaken {
  /**
   * The way to the target: the connection that was given, which a runtime can relay natively, or what a method put around
   * it. Bytes that came behind the reply are in it.
   */
  readonly connection: Connection & Duplex;
  /** BND.ADDR and BND.PORT. */
  readonly bound: Target;
}

/**
 * Asks a proxy at the other end of a connection.
 *
 * @param connection The way to the proxy. It is closed if this fails.
 * @param proxy What to speak, and the login. `tls` is not seen to here.
 * @param request What to ask for. A name is sent as it is, and with SOCKS4 as SOCKS4a.
 * @throws {ProxyError} If the proxy says no, or what is no SOCKS; if the connection ends, or the signal aborts.
 */
export function handshake(
  connection: Connection | StreamPair,
  proxy: Proxy,
  request: ProxyRequest,
  options: HandshakeOptions = {},
): Promise<Handshaken> {
  const { methods = [], signal } = options;
  const optimistic = options.optimistic === true;
  return talk(connection, proxy, options, "greeting", (dialogue) => {
    if (proxy.scheme === "http") return httpHandshake(dialogue, request, optimistic);
    return isSocks4(proxy)
      ? socks4Handshake(dialogue, request, optimistic)
      : socks5Handshake(dialogue, request, { optimistic: optimistic && methods.length === 0, methods, signal });
  });
}

/**
 * Reads BIND's second reply, which says who came.
 *
 * @throws {ProxyError} As {@linkcode handshake} does.
 */
export function awaitPeer(
  connection: Connection & Duplex,
  proxy: Proxy,
  options: HandshakeOptions = {},
): Promise<Handshaken> {
  return talk(connection, proxy, options, "peer", isSocks4(proxy) ? readSocks4Reply : readSocks5Reply);
}

async function talk(
  connection: Connection | StreamPair,
  proxy: Proxy,
  options: HandshakeOptions,
  phase: ProxyPhase,
  converse: (dialogue: Dialogue) => Promise<Target>,
): Promise<Handshaken> {
  const { signal } = options;
  const duplex = duplexOf(connection);
  const dialogue = new Dialogue(duplex, proxy, phase, options);
  const abort = (): void => dialogue.connection.close(signal!.reason);
  try {
    if (signal?.aborted) throw signal.reason;
    signal?.addEventListener("abort", abort, { once: true });
    const bound = await converse(dialogue);
    if (signal?.aborted) throw signal.reason;
    return { connection: giveBack(dialogue.connection, dialogue.takeRest()), bound };
  } catch (error) {
    dialogue.connection.close();
    throw proxyError(signal?.aborted ? signal.reason : error, dialogue);
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}
