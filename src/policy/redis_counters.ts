/**
 * Counts that several processes share, in Redis.
 *
 * `rate-limiter-flexible` counts there, in one step that no other process can get in between. What it would do while
 * Redis is away, its insurance limiter, is done here: its memory forgets the quota of a month at once (see
 * `memory_counters.ts`), and what it counts would be lost when Redis is back.
 *
 * @module
 */

import { RateLimiterRedis } from "rate-limiter-flexible";
import { NetError } from "../net/errors.ts";
import type { Counters } from "./counters.ts";
import type { Rate } from "./limit.ts";
import { MemoryCounters, type MemoryCountersOptions } from "./memory_counters.ts";
import { type RedisClient, RedisLink } from "./redis_link.ts";
import { parseRedisUrl } from "./redis_url.ts";
import type { OnStoreState } from "./store_state.ts";

/** How counts are kept in Redis. */
export interface RedisCountersOptions extends MemoryCountersOptions {
  /**
   * What happens while Redis is away: `open` counts in memory, from zero; `closed` fails.
   *
   * @default {"open"}
   */
  readonly fail?: "open" | "closed" | undefined;
  /** Is told when Redis is away, and when it is back. */
  readonly onState?: OnStoreState | undefined;
  /**
   * How long a command may take until Redis counts as away, in milliseconds.
   *
   * @default {500}
   */
  readonly timeout?: number | undefined;
  /**
   * How often to look whether it is back, in milliseconds.
   *
   * @default {1000}
   */
  readonly retryEvery?: number | undefined;
  /**
   * How long connecting may take, in milliseconds.
   *
   * @default {2000}
   */
  readonly connectTimeout?: number | undefined;
}

/** So many counts go to Redis together when it is back. */
const HANDED_OVER_AT_ONCE = 100;

/** As the library's own, with milliseconds for seconds: rates may be for less than one. */
const INCREASE = `redis.call("set", KEYS[1], 0, "PX", ARGV[2], "NX")
local value = redis.call("incrby", KEYS[1], ARGV[1])
local left = redis.call("pttl", KEYS[1])
return {value, left}`;

/**
 * Connects to Redis, or finds that it is away; that takes `connectTimeout` at most.
 *
 * @param url Where it is.
 * @returns The counters. They reconnect by themselves.
 * @throws {RangeError} `found …, expected …`, if it is not the URL of a Redis server.
 */
export async function redisCounters(url: string, options: RedisCountersOptions = {}): Promise<Counters> {
  const counters = new RedisCounters(url, options);
  await counters.decided;
  return counters;
}

class RedisCounters implements Counters {
  readonly #link: RedisLink;
  readonly #options: RedisCountersOptions;
  readonly #where: string;
  readonly #now: () => number;
  readonly #limiters = new WeakMap<RedisClient, RateLimiterRedis>();
  #meanwhile: MemoryCounters;
  #handedOver: Promise<void> = Promise.resolve();

  constructor(url: string, options: RedisCountersOptions) {
    const parsed = parseRedisUrl(url);
    this.#options = options;
    this.#where = parsed.shown;
    this.#now = options.now ?? Date.now;
    this.#meanwhile = new MemoryCounters(options);
    this.#link = new RedisLink(parsed, {
      probe: (client) => this.#increase(client, "probe", 0, 1000),
      onState: (state, reason) => {
        if (state === "back") this.#handedOver = this.#handOver();
        options.onState?.(state, reason);
      },
      timeout: options.timeout,
      retryEvery: options.retryEvery,
      connectTimeout: options.connectTimeout,
    });
  }

  /** Fulfilled when it is known whether Redis is there. */
  get decided(): Promise<void> {
    return this.#link.decided;
  }

  async hit(key: string, rate: Rate): Promise<boolean> {
    return await this.add(key, 1, this.#now() + rate.per) <= rate.count;
  }

  add(key: string, amount: number, until: number): Promise<number> {
    return this.#ask(
      (client) => this.#increase(client, key, amount, until - this.#now()),
      (memory) => memory.add(key, amount, until),
    );
  }

  get(key: string): Promise<number> {
    return this.#ask(
      async (client) => (await this.#limiter(client).get(key))?.consumedPoints ?? 0,
      (memory) => memory.get(key),
    );
  }

  delete(key: string): Promise<void> {
    return this.#ask(
      async (client) => void await this.#limiter(client).delete(key),
      (memory) => memory.delete(key),
    );
  }

  async close(): Promise<void> {
    await this.#handedOver;
    await this.#link.close();
  }

  async #ask<T>(command: (client: RedisClient) => Promise<T>, instead: (memory: MemoryCounters) => T): Promise<T> {
    try {
      return await this.#link.ask(command);
    } catch {
      // Why has been told when it went away.
      if (this.#options.fail !== "closed") return instead(this.#meanwhile);
      throw new NetError("not-allowed", `Cannot count: the store ${this.#where} cannot be reached`);
    }
  }

  async #increase(client: RedisClient, key: string, amount: number, lasts: number): Promise<number> {
    // What is over is forgotten at once. A "second" of the library is a millisecond of our script.
    const customDuration = Math.max(1, Math.ceil(lasts));
    return (await this.#limiter(client).penalty(key, amount, { customDuration })).consumedPoints;
  }

  #limiter(client: RedisClient): RateLimiterRedis {
    let limiter = this.#limiters.get(client);
    if (limiter === undefined) {
      limiter = new RateLimiterRedis({
        storeClient: client,
        useRedisPackage: true,
        keyPrefix: "socks",
        customIncrTtlLuaScript: INCREASE,
        points: 0, // what is within the rate is decided here
        duration: 1,
      });
      this.#limiters.set(client, limiter);
    }
    return limiter;
  }

  /** Adds what was counted in memory to what Redis has. */
  async #handOver(): Promise<void> {
    const counts = [...this.#meanwhile.saved()];
    this.#meanwhile = new MemoryCounters(this.#options);
    // `add`, so that what Redis does not take because it is away again is kept in memory again.
    for (let i = 0; i < counts.length; i += HANDED_OVER_AT_ONCE) {
      const some = counts.slice(i, i + HANDED_OVER_AT_ONCE);
      await Promise.all(some.map(([key, value, until]) => this.add(key, value, until)));
    }
  }
}
