/**
 * A SOCKS4, SOCKS4a and SOCKS5 proxy server for Deno, Bun and Node: CONNECT, BIND and UDP ASSOCIATE, with users, rules
 * and deadlines.
 *
 * There are four ways to use it.
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
 * **As a client.** {@linkcode connect}, {@linkcode bind} and {@linkcode associate} go through a SOCKS proxy, or a chain of
 * them; `@x/socks/client` has them alone.
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
export type { Forward, OpenForward } from "./src/server/forward.ts";
export type { ListenAddress } from "./src/server/listen_address.ts";
export type { MethodChoice, MethodName } from "./src/server/methods.ts";
export type { Bounds, HandleOptions, PortRange, ServeOptions, Timeouts } from "./src/server/options.ts";
export type { ChainUpstream, GroupChoice, GroupUpstream, HealthCheck, Upstream } from "./src/upstream/upstream.ts";
export type { WayHealth } from "./src/upstream/group_surroundings.ts";
export type { CloseCause, Observer, Refusal, SessionInfo, SessionSummary } from "./src/server/observer.ts";
export type { Dial, DialContext, Dialled } from "./src/server/dial.ts";
export type { Resolve } from "./src/server/resolve.ts";
export type { Reverse } from "./src/server/reverse.ts";
export { resolver, type ResolverOptions } from "./src/server/resolver.ts";
export type { Hosts } from "./src/server/hosts.ts";
export type { CacheOptions } from "./src/server/lookup_cache.ts";
export {
  type FamilyPreference,
  type Outgoing,
  outgoing,
  type OutgoingOptions,
  type SourceChoice,
} from "./src/server/outgoing.ts";
export { connectDirectly } from "./src/server/happy_eyeballs.ts";

export * from "./src/client/mod.ts";

export type {
  Authenticate,
  ChapCredentials,
  Credentials,
  PasswordCredentials,
  UserIdCredentials,
} from "./src/auth/authenticate.ts";
export type { AuthOptions } from "./src/auth/auth_options.ts";
export type { GssapiLevelName, GssapiOptions } from "./src/auth/gssapi_options.ts";
export type { GssapiUser, GssapiUsers } from "./src/auth/gssapi_users.ts";
export type { ClientInfo, User } from "./src/auth/client_info.ts";
export {
  AuthenticationError,
  type AuthenticationErrorOptions,
  type AuthMethod,
  type Negotiated,
} from "./src/auth/method.ts";
export { type UserEntry, userList, type UserListOptions } from "./src/auth/user_list.ts";
export { hashPassword, type HashPasswordOptions } from "./src/auth/password_hash.ts";
export type { Argon2, Argon2Cost, Argon2Job } from "./src/auth/argon2.ts";
export { userAdvice } from "./src/auth/user_advice.ts";
export { parseUsersFile, UsersFileError } from "./src/auth/users_file.ts";

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
export type { AddressSet, Rule, RuleCommand, TimeWindow } from "./src/policy/rule.ts";
export { type CompileOptions, compileRules, RuleSet } from "./src/policy/rule_set.ts";
export type { Decision } from "./src/policy/authorise.ts";
export type { ExplainedRule, Explanation } from "./src/policy/explanation.ts";
export type { Destination } from "./src/policy/question.ts";
export type { Match } from "./src/policy/condition.ts";
export type { Limit, LimitScope, LoginLimit, Quota, QuotaPeriod, Rate, StoreOptions } from "./src/policy/limit.ts";

export { formatAddress, type IpAddress, type SocketAddress, type UnixAddress } from "./src/net/address.ts";
export { type HostPort, parseEndpoint } from "./src/net/endpoint.ts";
export { NetError, type NetErrorCode } from "./src/net/errors.ts";

export type { Target } from "./src/protocol/address.ts";
export type { Decoded, Decoder } from "./src/protocol/decoded.ts";

export { type DenoConnLike, fromDenoConn } from "./src/runtime/deno_conn.ts";
export { currentRuntime } from "./src/runtime/detect.ts";
export { connectionPair, memory, type MemoryOptions, type MemoryPairOptions } from "./src/runtime/memory.ts";
export type {
  Abortable,
  AddressRecord,
  Connection,
  ConnectOptions,
  DatagramOptions,
  DatagramSocket,
  Duplex,
  InheritedSocket,
  Listener,
  ListenOptions,
  LookupOptions,
  Meter,
  Pace,
  QueryOptions,
  RelayJob,
  RelayMeter,
  Runtime,
  StreamPair,
  TlsOptions,
} from "./src/runtime/runtime.ts";

// Loaded here alone, so that the program's dependencies cost the library nothing, and not awaited: a module with a
// top-level await cannot be required.
if (import.meta.main) import("./src/cli/main.ts").then(({ main }) => main());
