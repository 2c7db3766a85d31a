/**
 * Remembers what names were resolved to.
 *
 * @module
 */

import type { IpAddress } from "../net/address.ts";
import { NetError, netErrorCode } from "../net/errors.ts";
import { mistake } from "../policy/mistake.ts";
import { Question } from "./question.ts";

/** Addresses of a name. */
export interface Answer {
  /** The addresses, best first, at least one. */
  readonly ips: readonly IpAddress[];
  /** For how many milliseconds they are good; absent if nobody says. */
  readonly ttl?: number | undefined;
}

/**
 * Asks for the addresses of a name.
 *
 * @throws {NetError} `name-not-found`, `lookup-failed`, `aborted`.
 */
export type Ask = (name: string, signal: AbortSignal) => Promise<Answer>;

/** How much is remembered, and for how long. Times are in milliseconds. */
export interface CacheOptions {
  /**
   * How many names are remembered at most; the one that nobody has asked for the longest is forgotten.
   *
   * @default {10_000}
   */
  readonly entries?: number | undefined;
  /**
   * The shortest time that addresses are remembered, whatever the name server says.
   *
   * @default {0}
   */
  readonly minTtl?: number | undefined;
  /**
   * The longest time that addresses are remembered, whatever the name server says. Those of the system's resolver, which
   * does not say, are remembered for 10 s within these bounds.
   *
   * @default {3_600_000}
   */
  readonly maxTtl?: number | undefined;
  /**
   * How long it is remembered that a name does not exist. That it could not be found out is remembered as long, but no
   * longer than 1 s.
   *
   * @default {5_000}
   */
  readonly negativeTtl?: number | undefined;
}

/** How long addresses are remembered whose source does not say, in milliseconds. */
const UNSTATED_TTL = 10_000;

/** How long a failure is remembered, in milliseconds: enough not to ask a dead name server for each connection. */
const FAILURE_TTL = 1_000;

/** Addresses kept of one name. Whoever has a zone of his own could fill the memory with more. */
const MOST_ADDRESSES = 64;

interface Entry {
  readonly found: readonly IpAddress[] | NetError;
  readonly until: number;
  /** How many entries had been made when this one was last moved to the end. */
  movedAt: number;
}

/**
 * Asks once for what several want to know at the same time, and remembers the answer. What it gives is no older than
 * its time to live, and to be checked each time like any answer.
 */
export class LookupCache {
  readonly #ask: Ask;
  readonly #options: { readonly [Name in keyof CacheOptions]-?: number };
  readonly #now: () => number;
  /** In the order of their last use, near enough. */
  readonly #entries = new Map<string, Entry>();
  /** How many entries have been made. */
  #made = 0;
  readonly #questions = new Map<string, Question<readonly IpAddress[]>>();

  /**
   * @param ask Asks for what is not remembered.
   * @param options How much is remembered, and for how long.
   * @param now A clock in milliseconds that never goes back.
   * @throws {RangeError} If an option makes no sense.
   */
  constructor(ask: Ask, options: CacheOptions, now: () => number) {
    const { entries = 10_000, minTtl = 0, maxTtl = Math.max(3_600_000, minTtl), negativeTtl = 5_000 } = options;
    if (!Number.isInteger(entries) || entries < 1) throw wrong("entries", entries, "a whole number of at least 1");
    for (const [name, ttl] of Object.entries({ minTtl, maxTtl, negativeTtl })) {
      if (!(ttl >= 0)) throw wrong(name, ttl, "a number of milliseconds");
    }
    if (maxTtl < minTtl) throw wrong("maxTtl", maxTtl, `at least minTtl, which is ${minTtl}`);
    this.#ask = ask;
    this.#options = { entries, minTtl, maxTtl, negativeTtl };
    this.#now = now;
  }

  /** How many names are remembered. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * The addresses of a name, at once if they are known.
   *
   * @param name The name, in its form for comparison.
   * @param asker Whose signal calls the question off, as far as he is concerned.
   * @throws {NetError} See {@linkcode Ask}.
   */
  lookup(name: string, asker: { readonly signal: AbortSignal }): readonly IpAddress[] | Promise<readonly IpAddress[]> {
    const entry = this.#entries.get(name);
    if (entry !== undefined) {
      if (this.#now() < entry.until) {
        this.#used(name, entry);
        if (entry.found instanceof NetError) throw entry.found;
        return entry.found;
      }
      this.#entries.delete(name);
    }
    return (this.#questions.get(name) ?? this.#question(name)).join(asker.signal);
  }

  /** Moving an entry costs more than finding it: one that was near the end a while ago cannot be the oldest. */
  #used(name: string, entry: Entry): void {
    if (this.#made - entry.movedAt <= this.#options.entries / 4) return;
    entry.movedAt = this.#made;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
  }

  #question(name: string): Question<readonly IpAddress[]> {
    const question: Question<readonly IpAddress[]> = new Question(
      (signal) => this.#find(name, signal),
      () => this.#questions.get(name) === question && this.#questions.delete(name),
    );
    this.#questions.set(name, question);
    return question;
  }

  async #find(name: string, signal: AbortSignal): Promise<readonly IpAddress[]> {
    const { minTtl, maxTtl, negativeTtl } = this.#options;
    try {
      const { ips, ttl = UNSTATED_TTL } = await this.#ask(name, signal);
      if (ips.length === 0) throw new NetError("name-not-found", `Cannot look up "${name}": it has no address`);
      const found = Object.freeze(ips.slice(0, MOST_ADDRESSES));
      this.#remember(name, found, Math.min(Math.max(ttl, minTtl), maxTtl));
      return found;
    } catch (error) {
      const code = netErrorCode(error);
      if (code === "name-not-found") this.#remember(name, error as NetError, negativeTtl);
      if (code === "lookup-failed") this.#remember(name, error as NetError, Math.min(negativeTtl, FAILURE_TTL));
      throw error;
    }
  }

  #remember(name: string, found: Entry["found"], ttl: number): void {
    if (ttl <= 0) return;
    this.#entries.set(name, { found, until: this.#now() + ttl, movedAt: ++this.#made });
    if (this.#entries.size <= this.#options.entries) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }
}

function wrong(name: string, found: unknown, expected: string): RangeError {
  return new RangeError(`Cannot use resolver.cache.${name}: ${mistake(found, expected).message}`);
}
