/**
 * One name server, and how it has been doing.
 *
 * @module
 */

import type { IpAddress, SocketAddress } from "../net/address.ts";
import { NetError, netErrorCode } from "../net/errors.ts";
import type { AddressRecord, QueryOptions, Runtime } from "../runtime/runtime.ts";

/** After so many questions in a row without an answer it is down. */
const MOST_MISSES = 3;

/** For how long, in milliseconds. */
const DOWN_TIME = 30_000;

/** A runtime with the means to ask name servers. */
export type QueryingRuntime = Runtime & Required<Pick<Runtime, "query">>;

/** A runtime with the means to ask name servers both ways. */
export type ReverseQueryingRuntime = QueryingRuntime & Required<Pick<Runtime, "reverseQuery">>;

/** A name server. */
export class NameServer<Means extends QueryingRuntime = QueryingRuntime> {
  readonly #address: SocketAddress;
  readonly #runtime: Means;
  readonly #now: () => number;
  #misses = 0;
  #downUntil = -Infinity;

  /**
   * @param address Where it is.
   * @param runtime The system.
   * @param now A clock in milliseconds that never goes back.
   */
  constructor(address: SocketAddress, runtime: Means, now: () => number) {
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
  ask(name: string, version: 4 | 6, options: QueryOptions): Promise<AddressRecord[]> {
    return this.#heed(name, options, this.#runtime.query(name, version, this.#address, options));
  }

  /**
   * Asks for the names of an address.
   *
   * @throws {NetError} See `Runtime.reverseQuery`.
   */
  askNames(this: NameServer<ReverseQueryingRuntime>, ip: IpAddress, options: QueryOptions): Promise<string[]> {
    return this.#heed(ip, options, this.#runtime.reverseQuery(ip, this.#address, options));
  }

  async #heed<T>(what: string, options: QueryOptions, asking: Promise<T[]>): Promise<T[]> {
    try {
      const records = await asking;
      if (records.length === 0) throw new NetError("name-not-found", `Cannot look up "${what}": it has no record`);
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
