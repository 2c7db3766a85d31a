/**
 * Who shares a limit with whom.
 *
 * @module
 */

import { formatAddress } from "../net/address.ts";
import type { Limit, LimitScope } from "./limit.ts";
import type { RequestInfo } from "./rules.ts";
import { sourceKey } from "./source_key.ts";

const EVERYBODY: readonly string[] = [""];

/**
 * The keys that a session counts under in a limit. Sessions with the same key share it.
 *
 * @param limit The limit.
 * @param request Whose session it is.
 * @returns One key: empty for the server, and for clients that have no name, address or listener; or one for each group.
 */
export function scopeKeys({ per, groups }: Limit, request: RequestInfo): readonly string[] {
  switch (per) {
    case "listener":
      return [request.listenerName ?? (request.listener === undefined ? "" : formatAddress(request.listener))];
    case "user":
      return [request.user?.name ?? ""];
    case "group": {
      const own = new Set(request.user?.groups);
      return groups === undefined ? [...own] : groups.filter((group) => own.has(group));
    }
    case "address":
      return [request.client === undefined ? "" : sourceKey(request.client.ip)];
    default:
      return EVERYBODY;
  }
}

/**
 * Who a key stands for, to end a sentence with: ` for user "ada"`, ` for 192.0.2.7`, or nothing for the server.
 *
 * @param per Who shares the limit.
 * @param key One of {@linkcode scopeKeys}.
 */
export function describeKey(per: LimitScope, key: string): string {
  switch (per) {
    case "listener":
      return key === "" ? " for connections of no listener" : ` for listener ${JSON.stringify(key)}`;
    case "user":
      return key === "" ? " for clients without a user" : ` for user ${JSON.stringify(key)}`;
    case "group":
      return ` for group ${JSON.stringify(key)}`;
    case "address":
      return key === "" ? " for clients without an address" : ` for ${key}`;
    default:
      return "";
  }
}
