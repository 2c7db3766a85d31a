/**
 * The settings that are in effect, in the form that they are written in.
 *
 * @module
 */

import { stringify } from "yaml";
import { isPasswordHash } from "../auth/password_hash.ts";
import type { UserEntry } from "../auth/user_list.ts";
import { formatProxy, parseProxy } from "../client/proxy.ts";
import type { Limit, Quota } from "../policy/limit.ts";
import { parseRedisUrl } from "../policy/redis_url.ts";
import { DEFAULT_BOUNDS, DEFAULT_TIMEOUTS } from "../server/options.ts";
import { formatByteSize } from "./byte_size.ts";
import type { Config, ListenEntry, UpstreamEntry } from "./config.ts";
import { formatDuration } from "./duration.ts";
import { formatRate } from "./rate.ts";
import { isWayName } from "./upstream_setting.ts";

/** What holds where nothing is set. */
const DEFAULTS: Config = {
  users: [],
  rules: [],
  otherwise: "safe",
  limits: [],
  upstreams: [],
  via: ["direct"],
  forwards: [],
  handshakeTimeout: DEFAULT_TIMEOUTS.handshake,
  connectTimeout: DEFAULT_TIMEOUTS.connect,
  bindTimeout: DEFAULT_TIMEOUTS.bind,
  idleTimeout: DEFAULT_TIMEOUTS.idle,
  drainTimeout: 30_000,
  bounds: {},
  ident: false,
  trustUserIds: false,
  allowPrivate: false,
  open: false,
  logLevel: "info",
  logFormat: "auto",
  reload: "keep",
  watch: false,
};

/**
 * Makes the settings that are in effect: what was set, and the defaults of what was not. Secrets are left out in a way
 * that cannot be taken for a setting: `password: { hidden: … }`.
 *
 * @param config The settings.
 * @returns Plain data, as it would stand in a file.
 */
export function effectiveSettings(config: Config): Readonly<Record<string, unknown>> {
  // With forwards, nothing is listened on that is not said.
  const isAlone = config.forwards !== undefined && config.forwards.length > 0;
  const all: Config = { ...!isAlone && { listen: [{ address: "127.0.0.1:1080" }] }, ...DEFAULTS, ...config };
  const { listen, users, rules, limits, store, udpPorts, bounds } = all;
  return clean({
    ...written(all),
    listen: listen?.map(({ address, name }: ListenEntry) => name === undefined ? address : { address, name }),
    users: users!.map(hideUser),
    rules: rules!.map((rule) => ({ ...rule, limits: rule.limits && writtenLimit(rule.limits) })),
    limits: limits!.map(writtenLimit),
    upstreams: all.upstreams!.map(writtenUpstream),
    via: writtenChain(all.via!),
    forwards: all.forwards!.map(({ listen, ...forward }) => ({
      listen: listen.address,
      name: listen.name,
      ...written(forward),
    })),
    logins: all.logins && written(all.logins),
    store: store && { ...store, redis: store.redis && parseRedisUrl(store.redis).shown },
    resolver: all.resolver && {
      ...written(all.resolver),
      cache: all.resolver.cache && written(all.resolver.cache),
    },
    bounds: { ...DEFAULT_BOUNDS, ...clean(bounds) as object },
    udpPorts: udpPorts && `${udpPorts.from}-${udpPorts.to}`,
  }) as Record<string, unknown>;
}

/**
 * Writes settings.
 *
 * @param settings Plain data.
 * @param format As YAML or as JSON.
 * @returns Lines, without the end of the last.
 */
export function formatSettings(settings: Readonly<Record<string, unknown>>, format: "yaml" | "json"): string {
  if (format === "json") return JSON.stringify(settings, undefined, 2);
  return stringify(settings, { lineWidth: 0, version: "1.2" }).trimEnd();
}

/** The names of settings that are durations. */
const DURATION = /Timeout$|Ttl$|^(?:timeout|lifetime|idle|within|refuseFor|refuseAtMost|every|longestPause)$/;

/** With its durations as they are written. */
function written(settings: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(settings).map((
      [name, value],
    ) => [name, typeof value === "number" && DURATION.test(name) ? formatDuration(value) : value]),
  );
}

function writtenLimit(limit: Limit): Record<string, unknown> {
  const { newSessions, upload, download, quota } = limit;
  return {
    ...written(limit),
    newSessions: newSessions && formatRate(newSessions),
    upload: upload && `${formatByteSize(upload)}/s`,
    download: download && `${formatByteSize(download)}/s`,
    quota: quota && writtenQuota(quota),
  };
}

function writtenQuota({ bytes, then, ...quota }: Quota): Record<string, unknown> {
  return {
    bytes: formatByteSize(bytes),
    ...quota,
    then: typeof then === "number" ? { slow: `${formatByteSize(then)}/s` } : then,
  };
}

function writtenUpstream(upstream: UpstreamEntry): Record<string, unknown> {
  if ("group" in upstream) return { ...upstream, check: upstream.check && written(upstream.check) };
  const { authorityFiles, ...rest } = upstream;
  const { proxy, isolate } = rest;
  const password = isolate?.password === undefined ? undefined : { hidden: "plain text" };
  return {
    ...rest,
    proxy: writtenChain(proxy),
    isolate: isolate && { ...isolate, password },
    authorities: authorityFiles,
  };
}

/** The login of a proxy is hidden as a whole: for some the name is the secret. */
function writtenChain(proxies: readonly string[]): unknown {
  const shown = proxies.map((text) => {
    if (isWayName(text)) return text;
    const proxy = parseProxy(text);
    return proxy.user === undefined ? text : { hidden: `${formatProxy(proxy)} with a login` };
  });
  return shown.length === 1 ? shown[0] : shown;
}

function hideUser({ name, password, chapSecret, groups }: UserEntry): Record<string, unknown> {
  return {
    name,
    password: password === undefined
      ? undefined
      : { hidden: isPasswordHash(password) ? "argon2id hash" : "plain text" },
    chapSecret: chapSecret === undefined ? undefined : { hidden: "plain text" },
    groups,
  };
}

/** Without what is not set or has no bound, also in what is within. */
function clean(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clean);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).filter(([, part]) => part !== undefined && part !== Infinity)
      .map(([name, part]) => [name, clean(part)]),
  );
}
