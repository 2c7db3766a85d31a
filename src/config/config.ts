/**
 * What an operator can set, by flag or in a file.
 *
 * @module
 */

import type { UserEntry } from "../auth/user_list.ts";
import type { IpAddress } from "../net/address.ts";
import type { PortRange } from "../server/options.ts";

/** The levels of the log, from the most to the least talkative. */
export const LOG_LEVELS = ["debug", "info", "warning", "error"] as const;

/** How much is logged. */
export type LogLevel = typeof LOG_LEVELS[number];

/**
 * The settings, read and checked. A flag has the setting's name in kebab-case (`--idle-timeout`); lists have flags that
 * are given once for each item (`--listen`, `--user`). What is not set has the server's default.
 *
 * A duration is in milliseconds here. People write a number of seconds or a number with its unit: `3`, `3s`, `2m`, `1h`,
 * `500ms`.
 */
export interface Config {
  /**
   * Where to listen, at least one: `HOST:PORT`, `[IPv6]:PORT` or `unix:PATH`.
   *
   * @default {["127.0.0.1:1080"]}
   */
  readonly listen?: readonly string[] | undefined;
  /**
   * Who may log in; their names differ. With users nobody is served without a login.
   *
   * @default {[]}
   */
  readonly users?: readonly UserEntry[] | undefined;
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
   * Whether SOCKS4 user ids are checked with IDENT (RFC 1413).
   *
   * @default {false}
   */
  readonly ident?: boolean | undefined;
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
}
