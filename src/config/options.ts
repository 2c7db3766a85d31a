/**
 * What settings mean to the server.
 *
 * @module
 */

import type { ServeOptions } from "../server/options.ts";
import type { Config } from "./config.ts";

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
    rules: config.rules,
    otherwise: config.otherwise,
    limits: config.limits,
    logins: config.logins,
    store: config.store,
    outgoing: config.outgoing,
    resolver: config.resolver,
    advertise: config.advertise,
    udpPorts: config.udpPorts,
    mixed: config.mixed,
    ident: config.ident,
    trustUserIds: config.trustUserIds,
    allowPrivate: config.allowPrivate,
    open: config.open,
  };
}
