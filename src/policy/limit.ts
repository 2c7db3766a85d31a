/**
 * A limit as an operator writes it.
 *
 * @module
 */

/** Who shares a limit: all whom it is for, or each of them apart. */
export type LimitScope = "server" | "listener" | "user" | "group" | "address";

/** All of them. */
export const LIMIT_SCOPES: readonly LimitScope[] = ["server", "listener", "user", "group", "address"];

/** A number of times in a time. */
export interface Rate {
  /** How often, at least 1. */
  readonly count: number;
  /** Within how many milliseconds. */
  readonly per: number;
}

/** The period of a quota. */
export type QuotaPeriod = "hour" | "day" | "week" | "month";

/** All of them. */
export const QUOTA_PERIODS: readonly QuotaPeriod[] = ["hour", "day", "week", "month"];

/** Bytes in a period of the calendar. */
export interface Quota {
  /** How many bytes. */
  readonly bytes: number;
  /** In which period. */
  readonly every: QuotaPeriod;
  /**
   * The day that a period starts on: of the week 1 (Monday) to 7, of the month 1 to 31 (the last, where there are fewer).
   *
   * @default {1}
   */
  readonly startDay?: number | undefined;
  /**
   * The time zone that days are counted in.
   *
   * @default The machine's.
   */
  readonly zone?: string | undefined;
  /**
   * Which bytes count.
   *
   * @default {"both"}
   */
  readonly count?: "both" | "upload" | "download" | undefined;
  /**
   * What happens when it is used up: `refuse` new sessions and let running ones go on, `end` those too, or let everything
   * go on at this many bytes a second each way.
   *
   * @default {"refuse"}
   */
  readonly then?: "refuse" | "end" | number | undefined;
}

/** Bounds for sessions. What is left out has none. */
export interface Limit {
  /** What the log calls it, and what its counts are stored under. */
  readonly name?: string | undefined;
  /**
   * Who shares it.
   *
   * @default {"server"}
   */
  readonly per?: LimitScope | undefined;
  /** Whom it is for, as in a rule. */
  readonly from?: readonly string[] | undefined;
  /** Whom it is for, as in a rule. */
  readonly listeners?: readonly string[] | undefined;
  /** Whom it is for, as in a rule. */
  readonly users?: readonly string[] | undefined;
  /** Whom it is for, as in a rule. */
  readonly groups?: readonly string[] | undefined;
  /** Sessions at once. Counted by each process for itself. */
  readonly sessions?: number | undefined;
  /** New sessions. */
  readonly newSessions?: Rate | undefined;
  /** Bytes a second from clients. Counted by each process for itself. */
  readonly upload?: number | undefined;
  /** Bytes a second to clients. Counted by each process for itself. */
  readonly download?: number | undefined;
  /** Bytes in a period. */
  readonly quota?: Quota | undefined;
  /** How long a session may last, in milliseconds; then it is ended. */
  readonly lifetime?: number | undefined;
  /** How long a session may go without a byte, in milliseconds; then it is ended. */
  readonly idle?: number | undefined;
}

/** What becomes of clients that cannot log in. */
export interface LoginLimit {
  /**
   * Failed logins from one address until it is refused without a look at what it sends.
   *
   * @default {10}
   */
  readonly attempts?: number | undefined;
  /**
   * Within how many milliseconds they count.
   *
   * @default {600_000}
   */
  readonly within?: number | undefined;
  /**
   * How long it is refused the first time, in milliseconds; each time after that takes twice as long.
   *
   * @default {60_000}
   */
  readonly refuseFor?: number | undefined;
  /**
   * The longest that it is refused, in milliseconds.
   *
   * @default {86_400_000}
   */
  readonly refuseAtMost?: number | undefined;
}

/** Where counts are kept that outlive a process or are shared among several: quotas, new sessions, failed logins. */
export interface StoreOptions {
  /** A file, for one process. */
  readonly file?: string | undefined;
  /** A Redis server, for any number of processes: `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, `rediss://` for TLS. */
  readonly redis?: string | undefined;
  /**
   * What happens to new sessions while Redis is away: `open` lets them in, counted by each process for itself; `closed`
   * refuses them.
   *
   * @default {"open"}
   */
  readonly fail?: "open" | "closed" | undefined;
}
