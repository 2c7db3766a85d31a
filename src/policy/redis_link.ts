/**
 * A connection to Redis that knows whether it is there.
 *
 * @module
 */

import { createClient, type RedisClientType } from "@redis/client";
import type { RedisUrl } from "./redis_url.ts";
import { type OnStoreState, reasonOf } from "./store_state.ts";

/** A client of Redis. */
export type RedisClient = RedisClientType;

/** How a link works. */
export interface RedisLinkOptions {
  /** Asks something of Redis that fails whenever counting would. */
  readonly probe: (client: RedisClient) => Promise<unknown>;
  /** Is told when Redis is away, and when it is back. */
  readonly onState: OnStoreState;
  /**
   * How long a command may take, in milliseconds.
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

/** After so many looks in vain there is a new connection: the old one may be dead without anybody having closed it. */
const LOOKS_A_CONNECTION = 30;
/** Commands that wait for an answer at once. What is more fails, as if Redis were away. */
const MAX_QUEUE = 10_000;

/**
 * Keeps a connection. The first command that fails, or takes too long, makes it `away`; from then on commands fail at
 * once, so that one session waits for a server that hangs, and not all of them. It is back when a probe succeeds.
 */
export class RedisLink {
  readonly #url: RedisUrl;
  readonly #options: RedisLinkOptions;
  readonly #timeout: number;
  readonly #connectTimeout: number;
  #client: RedisClient;
  #state: "new" | "away" | "back" | "closed" = "new";
  #timer: ReturnType<typeof setInterval> | undefined;
  #firstTimer: ReturnType<typeof setTimeout> | undefined;
  #looks = 0;
  #isProbing = false;
  #decided: () => void = () => {};

  /** Fulfilled when it is known whether Redis is there; that is soon. */
  readonly decided: Promise<void>;

  /** Begins to connect. */
  constructor(url: RedisUrl, options: RedisLinkOptions) {
    this.#url = url;
    this.#options = options;
    this.#timeout = options.timeout ?? 500;
    this.#connectTimeout = options.connectTimeout ?? 2000;
    this.decided = new Promise((resolve) => this.#decided = resolve);
    this.#client = this.#connect();
    this.#timer = setInterval(() => this.#look(), options.retryEvery ?? 1000);
    const noAnswer = new Error(`no answer within ${this.#connectTimeout} ms`);
    this.#firstTimer = setTimeout(() => this.#state === "new" && this.#lost(noAnswer), this.#connectTimeout);
  }

  /**
   * Asks something of Redis.
   *
   * @throws {Error} If it is away, fails or takes too long.
   */
  async ask<T>(command: (client: RedisClient) => Promise<T>): Promise<T> {
    if (this.#state !== "back") throw new Error("Redis is away");
    const client = this.#client;
    try {
      return await within(this.#timeout, command(client));
    } catch (error) {
      if (client === this.#client) this.#lost(error);
      throw error;
    }
  }

  /** Waits for commands that are under way, and closes the connection. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    const isBack = this.#state === "back";
    this.#state = "closed";
    clearInterval(this.#timer);
    this.#decide();
    try {
      if (isBack) await within(this.#timeout, this.#client.close());
    } catch { /* Then without waiting. */ }
    destroy(this.#client);
  }

  #connect(): RedisClient {
    const client = makeClient(this.#url, this.#connectTimeout);
    client.on("error", (error: unknown) => client === this.#client && this.#lost(error));
    client.on("ready", () => void this.#probe());
    // It tries again by itself, and says why by events.
    client.connect().catch(() => {});
    return client;
  }

  /** Looks whether Redis is back. */
  #look(): void {
    if (this.#state !== "away") return;
    if (++this.#looks % LOOKS_A_CONNECTION === 0) {
      destroy(this.#client);
      this.#client = this.#connect();
    }
    if (this.#client.isReady) void this.#probe();
  }

  async #probe(): Promise<void> {
    const client = this.#client;
    if (this.#isProbing || this.#state === "back" || this.#state === "closed") return;
    this.#isProbing = true;
    try {
      await within(this.#timeout, this.#options.probe(client));
      if (client === this.#client && client.isReady) this.#found();
    } catch (error) {
      this.#lost(error);
    } finally {
      this.#isProbing = false;
    }
  }

  #decide(): void {
    clearTimeout(this.#firstTimer);
    this.#decided();
  }

  #found(): void {
    if (this.#state === "closed") return;
    const wasNew = this.#state === "new";
    this.#state = "back";
    this.#looks = 0;
    this.#decide();
    if (!wasNew) this.#options.onState("back", `Redis at ${this.#url.shown} answers again`);
  }

  #lost(error: unknown): void {
    if (this.#state === "away" || this.#state === "closed") return;
    this.#state = "away";
    this.#decide();
    const { password, shown } = this.#url;
    const reason = reasonOf(error);
    this.#options.onState(
      "away",
      `Redis at ${shown}: ${password === undefined ? reason : reason.replaceAll(password, "…")}`,
    );
  }
}

function makeClient({ href }: RedisUrl, connectTimeout: number): RedisClient {
  return createClient({
    url: href,
    socket: { connectTimeout, reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, 1000) },
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_QUEUE,
    disableClientInfo: true,
    maintNotifications: "disabled",
  });
}

function destroy(client: RedisClient): void {
  try {
    client.destroy();
  } catch { /* It was closed already. */ }
}

async function within<T>(ms: number, answer: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
