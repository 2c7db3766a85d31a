/**
 * The seam for name resolution.
 *
 * @module
 */

import type { IpAddress } from "../net/address.ts";
import type { RequestInfo } from "../policy/rules.ts";

/**
 * Resolves a name to its addresses, best first. They are checked by the rules before any is dialled.
 *
 * @throws {NetError} `name-not-found` or `lookup-failed` (REP 04). No address at all counts as `name-not-found`.
 *
 * @example A name of one's own
 * ```ts
 * import { NetError, type Resolve } from "@x/socks";
 * import { assertEquals } from "@std/assert";
 *
 * const resolve: Resolve = (name) => {
 *   if (name === "printer.home") return ["192.0.2.7"];
 *   throw new NetError("name-not-found", `Cannot resolve "${name}": not a name of this house`);
 * };
 * assertEquals(typeof resolve, "function");
 * ```
 */
export type Resolve = (name: string, request: RequestInfo) => readonly IpAddress[] | Promise<readonly IpAddress[]>;
