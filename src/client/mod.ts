/**
 * A SOCKS4, SOCKS4a and SOCKS5 client for Deno, Bun and Node: connections, listening for a peer, and datagrams, through a
 * proxy or a chain of them.
 *
 * `fetch` has a way of its own to use a proxy on Deno, which needs nothing from here:
 *
 * ```ts ignore
 * const client = Deno.createHttpClient({ proxy: { url: "socks5h://127.0.0.1:1080" } });
 * await fetch("https://example.com", { client });
 * ```
 *
 * On Bun, `fetch` goes through an HTTP proxy in front of the SOCKS one, such as the HTTP side of this package's server:
 *
 * ```ts ignore
 * await fetch("https://example.com", { proxy: "http://127.0.0.1:1080" });
 * ```
 *
 * For Node's HTTP clients see `@x/socks/client/node`.
 *
 * @module
 */

export { type Accepted, type AcceptOptions, bind, Binding } from "./bind.ts";
export { associate } from "./associate.ts";
export { associateThrough } from "./associate_through.ts";
export type { DatagramCodec, Encapsulation, MethodChannel } from "../auth/method.ts";
export type { ClientMethod, ClientMethodContext } from "./client_method.ts";
export type { ClientOptions, TargetLike } from "./client_options.ts";
export { connect, type ConnectThroughOptions } from "./connect.ts";
export { DatagramPath, type DatagramPathParts, type OnProxiedDatagram } from "./datagram_path.ts";
export { DatagramTunnel, type ReceivedDatagram, type TunnelParts } from "./datagram_tunnel.ts";
export { type DialledThrough, dialThrough, type DialThroughContext, type LookupHere } from "./dial_through.ts";
export {
  type DialogueOptions,
  handshake,
  type Handshaken,
  type HandshakeOptions,
  type ProxyRequest,
} from "./handshake.ts";
export { resolve, resolvePtr } from "./resolve.ts";
export { formatProxy, type GssapiLogin, parseProxy, type Proxy, type ProxyLike, type ProxyScheme } from "./proxy.ts";
export { ProxyError, type ProxyErrorOptions, type ProxyPhase, type ProxyPlace } from "./proxy_error.ts";
export { type Environment, proxyFromEnvironment } from "./proxy_from_environment.ts";
