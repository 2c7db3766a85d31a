/**
 * A SOCKS4, SOCKS4a and SOCKS5 proxy server for Deno, Bun and Node: CONNECT, BIND and UDP ASSOCIATE, with users, rules
 * and deadlines.
 *
 * There are three ways to use it.
 *
 * **As a program.** Run as the main module it is the command line program; `--help` shows its flags.
 *
 * ```sh
 * deno run -A mod.ts
 * curl --socks5-hostname 127.0.0.1:1080 https://example.com
 * ```
 *
 * **As a server within yours.** {@linkcode serve} listens and serves; the options take functions of your own in place of
 * the built-in login, rules, name resolution and dialling.
 *
 * **On connections that you accepted.** {@linkcode handle} serves one client on any pair of streams: a WebSocket, a
 * Worker's socket, a tunnel.
 *
 * The codecs of the protocol, without any I/O, are at `@x/socks/protocol`.
 *
 * @example Serve with a login, and web ports alone
 * ```ts
 * import { formatAddress, serve } from "@x/socks";
 * import { assertMatch } from "@std/assert";
 *
 * await using server = await serve({
 *   listen: "127.0.0.1:0",
 *   users: [{ name: "ada", password: "lovelace" }],
 *   rules: { request: ({ target }) => target.port === 443 ? undefined : { deny: "https only" } },
 *   observer: { closed: ({ user, target }, { sent, received }) => console.log(user, target, sent, received) },
 * });
 * assertMatch(formatAddress(server.addresses[0]!), /^127\.0\.0\.1:\d+$/);
 * ```
 *
 * @module
 */

export { serve, type Server } from "./src/server/server.ts";
export { handle } from "./src/server/handle.ts";
export type { Bounds, HandleOptions, ListenAddress, PortRange, ServeOptions, Timeouts } from "./src/server/options.ts";
export type { CloseCause, Observer, Refusal, SessionInfo, SessionSummary } from "./src/server/observer.ts";
export type { Dial, DialContext } from "./src/server/dial.ts";
export type { Resolve } from "./src/server/resolve.ts";
export { connectDirectly } from "./src/server/happy_eyeballs.ts";

export type { Authenticate, Credentials, PasswordCredentials, UserIdCredentials } from "./src/auth/authenticate.ts";
export type { ClientInfo, User } from "./src/auth/client_info.ts";
export { type UserEntry, userList } from "./src/auth/user_list.ts";

export type {
  AddressInfo,
  CommandName,
  DatagramInfo,
  Denial,
  Grant,
  MaybeVerdict,
  ProtocolName,
  RequestInfo,
  Rules,
  Verdict,
} from "./src/policy/rules.ts";

export { formatAddress, type IpAddress, type SocketAddress, type UnixAddress } from "./src/net/address.ts";
export { type HostPort, parseEndpoint } from "./src/net/endpoint.ts";
export { NetError, type NetErrorCode } from "./src/net/errors.ts";

export type { Target } from "./src/protocol/address.ts";

export { type DenoConnLike, fromDenoConn } from "./src/runtime/deno_conn.ts";
export { currentRuntime } from "./src/runtime/detect.ts";
export { connectionPair, memory, type MemoryOptions, type MemoryPairOptions } from "./src/runtime/memory.ts";
export type {
  Connection,
  ConnectOptions,
  DatagramOptions,
  DatagramSocket,
  Duplex,
  Listener,
  ListenOptions,
  LookupOptions,
  Meter,
  Pace,
  RelayJob,
  Runtime,
  StreamPair,
} from "./src/runtime/runtime.ts";

// Loaded here alone, so that the program's dependencies cost the library nothing, and not awaited: a module with a
// top-level await cannot be required.
if (import.meta.main) import("./src/cli/main.ts").then(({ main }) => main());
