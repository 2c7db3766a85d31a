/**
 * What an operator can set, by flag, by environment variable or in a file.
 *
 * @module
 */

import type { UserEntry } from "../auth/user_list.ts";
import type { IpAddress } from "../net/address.ts";
import type { Limit, LoginLimit, StoreOptions } from "../policy/limit.ts";
import type { Rule } from "../policy/rule.ts";
import type { Forward } from "../server/forward.ts";
import type { Bounds, PortRange } from "../server/options.ts";
import type { OutgoingOptions } from "../server/outgoing.ts";
import type { ResolverOptions } from "../server/resolver.ts";
import type { ChainUpstream, GroupUpstream } from "../upstream/upstream.ts";
import type { AuthSetting } from "./auth_schema.ts";

/** The levels of the log, from the most to the least talkative. */
export const LOG_LEVELS = ["debug", "info", "warning", "error"] as const;

/** How much is logged. */
export type LogLevel = typeof LOG_LEVELS[number];

/** How lines of the log look: for people, for programs, or the former on a terminal and the latter elsewhere. */
export const LOG_FORMATS = ["auto", "text", "json"] as const;

/** How lines of the log look. */
export type LogFormat = typeof LOG_FORMATS[number];

/** What can become of running sessions when the settings are loaded again. */
export const RELOAD_MODES = ["keep", "recheck"] as const;

/** What becomes of running sessions when the settings are loaded again. */
export type ReloadMode = typeof RELOAD_MODES[number];

/** What can happen where no rule decides. */
export const LAST_WORDS = ["safe", "allow", "deny"] as const;

/** What happens where no rule decides. */
export type LastWord = typeof LAST_WORDS[number];

/** A place to listen. */
export interface ListenEntry {
  /** `HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`, with a path from the working directory. */
  readonly address: string;
  /** What rules, limits and the log call it. */
  readonly name?: string | undefined;
}

/** A way out. The URLs of proxies are text here, and hold their passwords. */
export type UpstreamEntry =
  | Omit<ChainUpstream, "proxy"> & {
    readonly name: string;
    readonly proxy: readonly string[];
    /** The files that {@linkcode ChainUpstream.authorities} are from; people write these as `authorities`. */
    readonly authorityFiles?: readonly string[] | undefined;
  }
  | GroupUpstream & { readonly name: string };

/** A port that leads to one target. */
export interface ForwardEntry extends Forward {
  /** Where it listens. People write `listen` and `name` beside each other. */
  readonly listen: ListenEntry;
}

/**
 * The settings, read and checked. Most have a flag with the setting's name in kebab-case (`--idle-timeout`) and an
 * environment variable (`SOCKS_IDLE_TIMEOUT`); lists have flags that are given once for each item (`--listen`,
 * `--user`). What is not set has the server's default.
 *
 * A duration is in milliseconds here. People write a number of seconds or a number with its unit: `3`, `3s`, `2m`, `1h`,
 * `500ms`. Sizes and speeds are in bytes and bytes a second; people write `10MiB` and `100Mbit/s`. A path in a file is
 * one from the file's folder.
 */
export interface Config {
  /**
   * Where to listen, at least one. People write the address alone where it needs no name.
   *
   * @default {[{ address: "127.0.0.1:1080" }]}
   */
  readonly listen?: readonly ListenEntry[] | undefined;
  /**
   * Who may log in; their names differ. With users nobody is served without a login. Those of {@linkcode usersFile} are
   * among them.
   *
   * @default {[]}
   */
  readonly users?: readonly UserEntry[] | undefined;
  /** A file with further users, as `socks-server passwd` writes it. */
  readonly usersFile?: string | undefined;
  /** Ways to log in other than by password. */
  readonly auth?: AuthSetting | undefined;
  /**
   * Who may do what; the first rule that applies decides.
   *
   * @default {[]}
   */
  readonly rules?: readonly Rule[] | undefined;
  /**
   * What happens where no rule decides: what the safe defaults say, or always the same.
   *
   * @default {"safe"}
   */
  readonly otherwise?: LastWord | undefined;
  /**
   * How many sessions, how fast, how much. All that apply to a session hold.
   *
   * @default {[]}
   */
  readonly limits?: readonly Limit[] | undefined;
  /** What becomes of clients that cannot log in; `false` for nothing. */
  readonly logins?: LoginLimit | false | undefined;
  /**
   * Where counts are kept that outlive the process or are shared among several.
   *
   * @default In the process.
   */
  readonly store?: StoreOptions | undefined;
  /** How the server leaves its machine. */
  readonly outgoing?: OutgoingOptions | undefined;
  /**
   * Ways out, for rules, groups, forwards and {@linkcode via}; their names differ. `direct` and `block` are there by
   * themselves.
   *
   * @default {[]}
   */
  readonly upstreams?: readonly UpstreamEntry[] | undefined;
  /**
   * The way out of what no rule says another for: the name of one, or the URLs of proxies, the nearest first. People
   * write one alone without a list.
   *
   * @default {["direct"]}
   */
  readonly via?: readonly string[] | undefined;
  /**
   * Ports that lead to one target each.
   *
   * @default {[]}
   */
  readonly forwards?: readonly ForwardEntry[] | undefined;
  /** How names become addresses. */
  readonly resolver?: ResolverOptions | undefined;
  /**
   * The time for the greeting and the request, and for the login: 0 (no limit) to 576 hours.
   *
   * @default {30_000}
   */
  readonly handshakeTimeout?: number | undefined;
  /**
   * The time to connect to a target: 0 (no limit) to 576 hours.
   *
   * @default {120_000}
   */
  readonly connectTimeout?: number | undefined;
  /**
   * The time for the peer of a BIND to come: 0 (no limit) to 576 hours.
   *
   * @default {120_000}
   */
  readonly bindTimeout?: number | undefined;
  /**
   * The time that a session may go without a byte: 0 (no limit) to 576 hours.
   *
   * @default {7_200_000}
   */
  readonly idleTimeout?: number | undefined;
  /**
   * The time that sessions may go on after the signal to stop: 0 (no limit) to 576 hours.
   *
   * @default {30_000}
   */
  readonly drainTimeout?: number | undefined;
  /** Bounds on what the server holds, whoever its clients are. */
  readonly bounds?: { readonly [Name in keyof Bounds]?: number | undefined } | undefined;
  /**
   * The address that replies to BIND and UDP ASSOCIATE state.
   *
   * @default The server's own.
   */
  readonly advertise?: IpAddress | undefined;
  /**
   * The ports that take clients' UDP datagrams, each 1 to 65535; written `FROM-TO`.
   *
   * @default Any.
   */
  readonly udpPorts?: PortRange | undefined;
  /**
   * Whether HTTP proxying is served on the same ports.
   *
   * @default Whether every listener is on loopback.
   */
  readonly mixed?: boolean | undefined;
  /**
   * Whether SOCKS4 user ids are checked with IDENT (RFC 1413).
   *
   * @default {false}
   */
  readonly ident?: boolean | undefined;
  /**
   * Whether a SOCKS4 user id that is a user's name is believed, without a password or IDENT.
   *
   * @default {false}
   */
  readonly trustUserIds?: boolean | undefined;
  /**
   * Whether clients may ask for lookups alone, by Tor's RESOLVE and RESOLVE_PTR.
   *
   * @default Those on this machine; nobody where any of {@linkcode upstreams} leaves names to others.
   */
  readonly resolveCommands?: boolean | undefined;
  /**
   * Whether clients on other machines may reach loopback, private and link-local addresses.
   *
   * @default {false}
   */
  readonly allowPrivate?: boolean | undefined;
  /**
   * Whether other machines may use the server without a login.
   *
   * @default {false}
   */
  readonly open?: boolean | undefined;
  /**
   * How much is logged.
   *
   * @default {"info"}
   */
  readonly logLevel?: LogLevel | undefined;
  /**
   * How lines of the log look.
   *
   * @default {"auto"}
   */
  readonly logFormat?: LogFormat | undefined;
  /**
   * The file that is logged to.
   *
   * @default Standard error.
   */
  readonly logFile?: string | undefined;
  /**
   * What becomes of running sessions when the settings are loaded again: they go on, or are checked again.
   *
   * @default {"keep"}
   */
  readonly reload?: ReloadMode | undefined;
  /**
   * Whether the settings are loaded again when a file that they came from changes.
   *
   * @default {false}
   */
  readonly watch?: boolean | undefined;
  /**
   * Who the process becomes once it listens: `USER` or `USER:GROUP`, by name or number.
   *
   * @default Who started it.
   */
  readonly runAs?: string | undefined;
}
