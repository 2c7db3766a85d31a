/**
 * What settings mean to the server.
 *
 * @module
 */

import type { ServeOptions } from "../server/options.ts";
import { formatProxy, parseProxy } from "../client/proxy.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Config } from "./config.ts";
import { isWayName } from "./upstream_setting.ts";

/**
 * Makes the server's options of settings.
 *
 * @param config The settings.
 */
export function serveOptions(config: Config): ServeOptions {
  const { handshakeTimeout, connectTimeout, bindTimeout, idleTimeout } = config;
  return {
    listen: config.listen,
    users: config.users !== undefined && config.users.length > 0 ? config.users : undefined,
    timeouts: {
      ...handshakeTimeout !== undefined && { handshake: handshakeTimeout, authentication: handshakeTimeout },
      ...connectTimeout !== undefined && { connect: connectTimeout },
      ...bindTimeout !== undefined && { bind: bindTimeout },
      ...idleTimeout !== undefined && { idle: idleTimeout },
    },
    bounds: Object.fromEntries(Object.entries(config.bounds ?? {}).filter(([, bound]) => bound !== undefined)),
    auth: config.auth,
    methods: config.auth?.methods,
    listenerMethods: config.auth?.listeners,
    rules: config.rules,
    otherwise: config.otherwise,
    limits: config.limits,
    logins: config.logins,
    store: config.store,
    outgoing: config.outgoing,
    ...waysOf(config),
    resolver: config.resolver,
    advertise: config.advertise,
    udpPorts: config.udpPorts,
    mixed: config.mixed,
    ident: config.ident,
    trustUserIds: config.trustUserIds,
    resolveCommands: config.resolveCommands,
    allowPrivate: config.allowPrivate,
    open: config.open,
  };
}

/** The proxies of `via` are a way out of their own, whose name is their URLs; no other can have such a name. */
function waysOf({ upstreams, via, forwards }: Config): Pick<ServeOptions, "upstreams" | "via" | "forwards"> {
  const entries = (upstreams ?? []).map((entry): [string, Upstream] => {
    const { name, authorityFiles: _, ...upstream } = { authorityFiles: undefined, ...entry };
    return [name, upstream];
  });
  let chosen = via?.[0];
  if (via !== undefined && (via.length > 1 || !isWayName(via[0]!))) {
    chosen = via.map((url) => formatProxy(parseProxy(url))).join(", ");
    entries.push([chosen, { proxy: via }]);
  }
  return { upstreams: entries.length === 0 ? undefined : Object.fromEntries(entries), via: chosen, forwards };
}
