/**
 * The way without a proxy, as a member of a group.
 *
 * @module
 */

import type { Target } from "../protocol/address.ts";
import { duplexOf } from "../stream/duplex_of.ts";
import type { WayFacilities } from "./facilities.ts";
import type { WayContext, WayOpened, WayOut } from "./way_out.ts";

/** Connects to the addresses that the rules allow. */
export class DirectWay implements WayOut {
  readonly name = "direct";
  readonly keepsNames = false;
  readonly #facilities: WayFacilities;

  /** @param facilities How to connect. */
  constructor(facilities: WayFacilities) {
    this.#facilities = facilities;
  }

  async connect(_target: Target, context: WayContext): Promise<WayOpened> {
    const addresses = await context.addresses();
    context.asked?.();
    const connection = duplexOf(await this.#facilities.dial(addresses, context));
    const { local, remote } = connection;
    const bound = local &&
      { type: local.ip.includes(":") ? "ipv6" as const : "ipv4" as const, host: local.ip, port: local.port };
    return { connection, bound, address: remote };
  }
}
