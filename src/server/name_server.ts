/**
 * One name server, and how it has been doing.
 *
 * @module
 */

import type { SocketAddress } from "../net/address.ts";
import { NetError, netErrorCode } from "../net/errors.ts";
import type { AddressRecord, QueryOptions, Runtime } from "../runtime/runtime.ts";

/** After so many questions in a row without an answer it is down. */
const MOST_MISSES = 3;

/** For how long, in milliseconds. */
const DOWN_TIME = 30_000;

/** A runtime with the means to ask name servers. */
export type QueryingRuntime = Runtime & Required<Pick<Runtime, "query">>;

/** A name server. */
export class NameServer {
  readonly #address: SocketAddress;
  readonly #runtime: QueryingRuntime;
  readonly #now: () => number;
  #misses = 0;
  #downUntil = -Infinity;

  /**
   * @param address Where it is.
   * @param runtime The system.
   * @param now A clock in milliseconds that never goes back.
   */
  constructor(address: SocketAddress, runtime: QueryingRuntime, now: () => number) {
    this.#address = address;
    this.#runtime = runtime;
    this.#now = now;
  }

  /** Whether it has not answered for a while, and is better asked last. */
  get isDown(): boolean {
    return this.#now() < this.#downUntil;
  }

  /**
   * Asks for a name's addresses of one version of IP.
   *
   * @throws {NetError} See `Runtime.query`.
   */
  async ask(name: string, version: 4 | 6, options: QueryOptions): Promise<AddressRecord[]> {
    try {
      const records = await this.#runtime.query(name, version, this.#address, options);
      if (records.length === 0) throw new NetError("name-not-found", `Cannot look up "${name}": it has no address`);
      this.#answered();
      return records;
    } catch (error) {
      const code = netErrorCode(error);
      if (code === "name-not-found" || code === "lookup-failed") this.#answered();
      else if (code !== "aborted" && options.signal?.aborted !== true) this.#missed();
      throw error;
    }
  }

  #answered(): void {
    this.#misses = 0;
    this.#downUntil = -Infinity;
  }

  #missed(): void {
    if (++this.#misses >= MOST_MISSES) this.#downUntil = this.#now() + DOWN_TIME;
  }
}
