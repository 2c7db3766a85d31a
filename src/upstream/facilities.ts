/**
 * What ways out need of whoever uses them.
 *
 * @module
 */

import type { IpAddress, SocketAddress } from "../net/address.ts";
import type { RequestInfo } from "../policy/rules.ts";
import type { Connection, Runtime } from "../runtime/runtime.ts";

/** For whom a connection is made, and for how long. */
export interface Errand {
  /** The request, and who makes it. */
  readonly request: RequestInfo;
  /** Ends it when it aborts, with its reason. */
  readonly signal: AbortSignal;
}

/** How ways out reach what is next to them. */
export interface WayFacilities {
  /** The system. */
  readonly runtime: Runtime;
  /**
   * Looks up the name of a proxy.
   *
   * @throws {NetError} If there is no such name.
   */
  lookup(name: string, errand: Errand): Promise<readonly IpAddress[]>;
  /**
   * Connects to one of several addresses of a host, as without a way out.
   *
   * @throws {NetError} If none connects.
   */
  dial(addresses: readonly SocketAddress[], errand: Errand): Promise<Connection>;
  /**
   * Connects to a proxy, which must not be the very server that wants to leave by it: that would go round.
   *
   * @throws {NetError} If none connects; `not-allowed` if it is that server.
   */
  dialProxy(addresses: readonly SocketAddress[], errand: Errand): Promise<Connection>;
}

/** Facilities that are exchanged when the options change, under ways that stay. */
export class SharedFacilities implements WayFacilities {
  #current: WayFacilities;

  /** @param current What they are now. */
  constructor(current: WayFacilities) {
    this.#current = current;
  }

  get runtime(): Runtime {
    return this.#current.runtime;
  }

  lookup(name: string, errand: Errand): Promise<readonly IpAddress[]> {
    return this.#current.lookup(name, errand);
  }

  dial(addresses: readonly SocketAddress[], errand: Errand): Promise<Connection> {
    return this.#current.dial(addresses, errand);
  }

  dialProxy(addresses: readonly SocketAddress[], errand: Errand): Promise<Connection> {
    return this.#current.dialProxy(addresses, errand);
  }

  /** From now on they are these. */
  use(facilities: WayFacilities): void {
    this.#current = facilities;
  }
}
