/**
 * Ways out that settings name, for commands that go through them by themselves.
 *
 * @module
 */

import { parseProxy, type Proxy } from "../client/proxy.ts";
import type { Config } from "../config/config.ts";
import { ConfigError } from "../config/config_error.ts";
import { describeFound } from "../config/found.ts";
import { loadConfig } from "../config/load.ts";
import { nearest } from "../config/nearest.ts";
import { isWayName } from "../config/upstream_setting.ts";
import type { RequestInfo } from "../policy/rules.ts";
import { Isolation } from "../upstream/isolation.ts";
import type { Terminal } from "./terminal.ts";
import { proxiesOf, readVia, type ViaArguments } from "./via_arguments.ts";

/** What leads to a target. */
export interface Way {
  /** The proxies, the nearest first; none for `direct`. */
  readonly proxies: readonly Proxy[];
  /** Certificates of the authorities that proxies with TLS may show, in PEM; those of the system if absent. */
  readonly authorities?: readonly string[] | undefined;
}

/**
 * What was given, with proxies in the place of the names of ways out; without any, the way out of the settings.
 *
 * @param given The flags.
 * @param terminal Where the program was started.
 * @returns The way; `undefined` if nothing says one.
 * @throws {ConfigError} For a mistake in what was given, or in the settings.
 */
export async function readWays(
  given: ViaArguments & { readonly config?: string | undefined },
  terminal: Terminal,
): Promise<Way | undefined> {
  const { env, readFile, fileMode } = terminal;
  const { config } = await loadConfig({
    flags: {},
    env,
    file: given.config,
    readFile,
    fileMode,
    areForServer: false,
  });
  const { items, where } = given.via === undefined && given.viaFile === undefined
    ? { items: [...config.via ?? []], where: "via" }
    : await readVia(given, terminal);
  if (items.length === 0) return undefined;
  const urls = proxiesOf({ items: items.filter((item) => !isWayName(item)), where });
  const ways = items.map((item): Way => isWayName(item) ? wayOf(item, config, where) : { proxies: [urls.shift()!] });
  const authorities = ways.flatMap(({ authorities = [] }) => authorities);
  return { proxies: ways.flatMap(({ proxies }) => proxies), ...authorities.length > 0 && { authorities } };
}

function wayOf(name: string, { upstreams = [] }: Config, where: string): Way {
  if (name === "direct") return { proxies: [] };
  if (name === "block") throw new ConfigError([`${where}: found "block", expected a way that leads somewhere`]);
  const found = upstreams.find((upstream) => upstream.name === name);
  if (found === undefined) {
    const near = nearest(name, upstreams.map(({ name }) => name));
    const hint = near === undefined ? "expected the name of a way out, or a URL" : `did you mean ${near}?`;
    throw new ConfigError([`${where}: found ${describeFound(name)}, ${hint}`]);
  }
  if (!("proxy" in found)) {
    throw new ConfigError([`${where}: found the group ${describeFound(name)}, expected a way with proxies`]);
  }
  const proxies = found.proxy.map((url) => parseProxy(url));
  const last = proxies.length - 1;
  if (found.isolate !== undefined) {
    proxies[last] = new Isolation(found.isolate, proxies[last]!).of(proxies[last]!, NOBODY);
  }
  return { proxies, authorities: found.authorities };
}

/** Whose session it is, for `isolate`: that of somebody who has not logged in, at no listener. */
const NOBODY: RequestInfo = {
  id: 0,
  openedAt: 0,
  client: undefined,
  listener: undefined,
  isLocal: true,
  signal: new AbortController().signal,
  protocol: "socks5",
  user: undefined,
  command: "connect",
  target: { type: "name", host: "", port: 0 },
};
