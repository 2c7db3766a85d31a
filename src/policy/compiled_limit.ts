/**
 * A limit, ready to be applied.
 *
 * @module
 */

import { type AddressItem, parseAddressItem } from "./address_item.ts";
import { fromCondition, groupsCondition, listenersCondition, usersCondition } from "./client_conditions.ts";
import type { Condition } from "./condition.ts";
import { counterKey } from "./counter_key.ts";
import type { Limit, LimitScope } from "./limit.ts";
import type { Question } from "./question.ts";

/** What a limit is known by. */
export interface LimitIdentity {
  /** What the log calls it. */
  readonly name: string;
  /** What its counts are stored under. */
  readonly storedAs: string;
  /** Where it stands in the configuration, for errors. */
  readonly path: string;
}

/** A limit whose items are read. */
export class CompiledLimit {
  /** The limit as it was written. */
  readonly limit: Limit;
  /** What the log calls it. */
  readonly name: string;
  /** Who shares it. */
  readonly per: LimitScope;
  /** The same for a limit of the same name and scope in another configuration. */
  readonly id: string;
  /** Whether something is counted in this process while sessions run. */
  readonly hasAccounts: boolean;
  readonly #storedAs: string;
  readonly #conditions: readonly Condition[];

  /**
   * @param limit The limit as it was written.
   * @param identity What it is known by.
   * @throws {RangeError} `Cannot use limits[0].from[1]: found …, expected …`.
   */
  constructor(limit: Limit, { name, storedAs, path }: LimitIdentity) {
    this.limit = limit;
    this.name = name;
    this.per = limit.per ?? "server";
    this.#storedAs = storedAs;
    this.id = counterKey(storedAs, this.per);
    this.hasAccounts = [limit.sessions, limit.upload, limit.download, limit.quota].some((bound) => bound !== undefined);
    const { from, users, groups, listeners } = limit;
    const conditions = [
      users && usersCondition(users),
      groups && groupsCondition(groups),
      listeners && listenersCondition(listeners),
      from && fromCondition(from.map((item, i) => readAddress(item, `${path}.from[${i}]`))),
    ];
    this.#conditions = conditions.filter((condition) => condition !== undefined);
  }

  /** Whether it is for everybody. */
  get isForAll(): boolean {
    return this.#conditions.length === 0;
  }

  /** Whether it is for a client. */
  isFor(question: Question): boolean {
    for (let i = 0; i < this.#conditions.length; i++) if (this.#conditions[i]!.test(question) !== "yes") return false;
    return true;
  }

  /**
   * The key of something that is counted, for {@linkcode Counters}.
   *
   * @param key Who shares the count.
   * @param what What is counted.
   */
  counterKey(key: string, what: string): string {
    return counterKey(this.#storedAs, this.per, key, what);
  }
}

function readAddress(item: string, path: string): AddressItem {
  try {
    return parseAddressItem(item);
  } catch (error) {
    throw new RangeError(`Cannot use ${path}: ${(error as Error).message}`, { cause: error });
  }
}
