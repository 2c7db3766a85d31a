/**
 * Limits, applied.
 *
 * @module
 */

import { Admission } from "./admission.ts";
import { CompiledLimit } from "./compiled_limit.ts";
import type { Counters } from "./counters.ts";
import { Ledger } from "./ledger.ts";
import type { Limit } from "./limit.ts";
import type { Lease, Limiter } from "./limiter.ts";
import { Pacer, type Timers } from "./pacer.ts";
import type { RequestInfo } from "./rules.ts";

/** What limits need. */
export interface LimitsOptions {
  /** Where quotas and new sessions are counted. They are closed with the limiter. */
  readonly counters: Counters;
  /**
   * The limiter of the configuration before. Sessions that it admitted go on and still count, in limits of the same name
   * and scope; from {@linkcode Limits.begin} on those hold them to what they say now. It is closed by whoever made it.
   */
  readonly previous?: Limiter | undefined;
  /**
   * The time, in milliseconds since the epoch.
   *
   * @default {Date.now}
   */
  readonly now?: (() => number) | undefined;
  /** The clock and the timer of what goes at a pace; `previous` has them already. */
  readonly timers?: Timers | undefined;
}

/**
 * Makes a limiter.
 *
 * A quota counts what has gone, twice a second and when a session ends: as much as passes in between may go beyond it.
 * A session that is refused takes no place and uses no quota; only as a new session may it have been counted.
 *
 * @param limits The limits. Those without a name are called `limit 1` and so on.
 * @param options Where to count.
 * @returns The limiter.
 * @throws {RangeError} `Cannot use limits[0].from[1]: found …, expected …`, or where two have the same name and scope.
 *
 * @example One session at a time for each user
 * ```ts
 * import { limiter } from "./limits.ts";
 * import { MemoryCounters } from "./memory_counters.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const limits = limiter([{ name: "one each", per: "user", sessions: 1 }], { counters: new MemoryCounters() });
 * assertEquals(limits.size, 0);
 * ```
 */
export function limiter(limits: readonly Limit[], options: LimitsOptions): Limits {
  return new Limits(limits, options);
}

/** Holds sessions to limits. */
export class Limits implements Limiter {
  readonly #limits: readonly CompiledLimit[];
  readonly #counters: Counters;
  readonly #ledger: Ledger;
  readonly #ofRules = new WeakMap<Limit, CompiledLimit>();

  /**
   * @param limits The limits.
   * @param options Where to count.
   * @throws {RangeError} `Cannot use limits[0].from[1]: found …, expected …`.
   */
  constructor(limits: readonly Limit[], { counters, previous, now = Date.now, timers }: LimitsOptions) {
    const ids = new Map<string, number>();
    this.#limits = limits.map((limit, at) => {
      const name = limit.name ?? `limit ${at + 1}`;
      const compiled = new CompiledLimit(limit, { name, storedAs: name, path: `limits[${at}]` });
      const twin = ids.get(compiled.id);
      if (twin !== undefined) {
        throw new RangeError(`Cannot use limits[${at}]: found the name and scope of limits[${twin}], expected another`);
      }
      ids.set(compiled.id, at);
      return compiled;
    });
    this.#counters = counters;
    if (previous instanceof Limits) this.#ledger = previous.#ledger;
    else {
      this.#ledger = new Ledger(counters, new Pacer(timers), now);
      this.#ledger.owner = this;
    }
  }

  /** Takes the place of the limiter before. Until then that one holds: its configuration may yet have to stay. */
  begin(): void {
    this.#ledger.counters = this.#counters;
    this.#ledger.owner = this;
    this.#ledger.adopt(this.#limits);
  }

  /** How many keys of limits have sessions, or had some a moment ago. */
  get size(): number {
    return this.#ledger.size;
  }

  /** Takes a place for a session: at once, unless the counts are kept elsewhere. */
  admit(request: RequestInfo, ruleLimit: Limit | undefined): Lease | undefined | Promise<Lease | undefined> {
    if (this.#limits.length === 0 && ruleLimit === undefined) return undefined;
    const ofRule = ruleLimit === undefined ? undefined : this.#ofRule(ruleLimit);
    return new Admission(this.#ledger, request).through(this.#limits, ofRule);
  }

  /** Tells the counters what they do not know yet and closes them; not those that a later configuration counts with. */
  async close(): Promise<void> {
    const ledger = this.#ledger;
    await ledger.settle();
    if (ledger.owner === this || ledger.counters !== this.#counters) await this.#counters.close();
  }

  #ofRule(limit: Limit): CompiledLimit {
    let compiled = this.#ofRules.get(limit);
    if (compiled === undefined) {
      const name = limit.name ?? "of a rule";
      const storedAs = limit.name === undefined ? `rule limit ${++this.#ledger.unnamed}` : `rule ${limit.name}`;
      compiled = new CompiledLimit(limit, { name, storedAs, path: "the limits of a rule" });
      this.#ofRules.set(limit, compiled);
    }
    return compiled;
  }
}
