/**
 * UDP ASSOCIATE through a chain of proxies.
 *
 * @module
 */

import { associateThrough, carriesDatagrams } from "../client/associate_through.ts";
import type { DialThroughContext } from "../client/dial_through.ts";
import type { Proxy } from "../client/proxy.ts";
import type { Target } from "../protocol/address.ts";
import type { WayTunnel } from "./way_out.ts";

/** Whether a chain can carry datagrams, as far as its protocols go. */
export function canAssociate(hops: readonly Proxy[]): boolean {
  return hops.length > 0 && hops.every(carriesDatagrams);
}

/**
 * Associates with all proxies of a chain. A name that is sent to is left to the last one.
 *
 * @param hops The proxies.
 * @param dial What dialling them needs. Its signal is for the opening alone.
 * @param onDatagram Is given what comes, to keep. The source is the same value for as long as it is the same sender.
 * @throws {ProxyError} Whatever goes wrong on the way.
 */
export function associateThroughChain(
  hops: readonly Proxy[],
  dial: DialThroughContext,
  onDatagram: (data: Uint8Array, source: Target) => void,
): Promise<WayTunnel> {
  return associateThrough(hops, dial, onDatagram);
}
