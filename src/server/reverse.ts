/**
 * The seam for the names of addresses.
 *
 * @module
 */

import type { IpAddress } from "../net/address.ts";
import type { RequestInfo } from "../policy/rules.ts";

/**
 * Finds the names of an address, best first, for RESOLVE_PTR.
 *
 * @throws {NetError} `name-not-found` or `lookup-failed` (REP 04). No name at all counts as `name-not-found`.
 *
 * @example Names of one's own
 * ```ts
 * import { NetError, type Reverse } from "@x/socks";
 * import { assertEquals } from "@std/assert";
 *
 * const reverse: Reverse = (ip) => {
 *   if (ip === "192.0.2.7") return ["printer.home"];
 *   throw new NetError("name-not-found", `Cannot look up "${ip}": not an address of this house`);
 * };
 * assertEquals(typeof reverse, "function");
 * ```
 */
export type Reverse = (ip: IpAddress, request: RequestInfo) => readonly string[] | Promise<readonly string[]>;
