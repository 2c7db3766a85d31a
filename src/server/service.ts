/**
 * What all sessions of one server share.
 *
 * @module
 */

import type { Authenticate } from "../auth/authenticate.ts";
import type { AuthMethod } from "../auth/method.ts";
import { noAuthentication } from "../auth/no_authentication.ts";
import { userList } from "../auth/user_list.ts";
import { usernamePassword } from "../auth/username_password.ts";
import type { SocketAddress } from "../net/address.ts";
import { Authoriser } from "../policy/authorise.ts";
import type { Limiter } from "../policy/limiter.ts";
import { safeDefaults } from "../policy/safe_defaults.ts";
import type { Target } from "../protocol/address.ts";
import type { Connection, Runtime } from "../runtime/runtime.ts";
import { Deadlines } from "./deadlines.ts";
import { type DialContext, heedSignal } from "./dial.ts";
import type { Observer } from "./observer.ts";
import { type Bounds, DEFAULT_BOUNDS, DEFAULT_TIMEOUTS, type HandleOptions, type Timeouts } from "./options.ts";
import type { Resolve } from "./resolve.ts";

/** Options with their defaults filled in, and the state that outlives a session. */
export class Service {
  /** As given: what has no default. */
  readonly options: HandleOptions;
  readonly runtime: Runtime;
  readonly timeouts: Timeouts;
  readonly bounds: Bounds;
  readonly limiter: Limiter | undefined = undefined;
  readonly observer: Observer;
  readonly authoriser: Authoriser;
  /** The check of credentials; absent if nobody has to log in. */
  readonly authenticate: Authenticate | undefined;
  /** The methods that SOCKS5 clients may choose from, best first. */
  readonly methods: readonly AuthMethod[];
  readonly resolve: Resolve | false;
  /** The dialler that the options give, if they do. */
  readonly customDial: ((target: Target, context: DialContext) => Promise<Connection>) | undefined;
  readonly deadlines: Deadlines;
  /** Where this server listens with IP addresses. */
  readonly listeners: SocketAddress[] = [];
  /** What is counted on when the options change. */
  readonly counts: { associations: number; lastId: number };

  /**
   * @param options What the server was told.
   * @param runtime The system it runs on.
   * @param previous The service in whose place this one comes.
   * @throws {RangeError} If a user or a number in the options makes no sense.
   */
  constructor(options: HandleOptions, runtime: Runtime, previous?: Service) {
    this.options = options;
    this.counts = previous?.counts ?? { associations: 0, lastId: 0 };
    this.runtime = runtime;
    this.timeouts = withDefaults("timeouts", DEFAULT_TIMEOUTS, options.timeouts);
    this.bounds = withDefaults("bounds", DEFAULT_BOUNDS, options.bounds);
    if (this.bounds.sessions < 1) {
      throw new RangeError(
        `Cannot use bounds.sessions: found ${this.bounds.sessions}, expected a number of at least 1`,
      );
    }
    this.observer = options.observer ?? {};
    const allowPrivate = options.allowPrivate ?? false;
    const facts = { allowPrivate, listeners: () => this.listeners, interfaces: () => runtime.interfaces() };
    this.authoriser = new Authoriser(options.rules ?? {}, safeDefaults(facts));
    const { users } = options;
    this.authenticate = options.authenticate ?? (users !== undefined && users.length > 0 ? userList(users) : undefined);
    this.methods = [this.authenticate === undefined ? noAuthentication : usernamePassword(this.authenticate)];
    this.resolve = options.resolve ?? ((name) => runtime.lookup(name));
    this.customDial = options.dial === undefined ? undefined : heedSignal(options.dial);
    this.deadlines = new Deadlines(Math.min(...Object.values(this.timeouts).filter((ms) => ms > 0), 5_000));
  }

  /** Lets go of what it holds, once its last session is over. */
  close(): Promise<void> {
    this.deadlines.rest(); // a program may end as soon as its server has
    return Promise.resolve();
  }

  /** Another service has come in its place; some sessions may still be its. */
  retire(): void {
    this.deadlines.rest();
  }

  /** The next session's number. */
  nextId(): number {
    return ++this.counts.lastId;
  }
}

/**
 * Makes a service.
 *
 * @param options What the server was told.
 * @param runtime The system it runs on.
 * @param previous The service in whose place it comes.
 * @throws {RangeError} If an option makes no sense.
 */
// deno-lint-ignore require-await
export async function openService(options: HandleOptions, runtime: Runtime, previous?: Service): Promise<Service> {
  return new Service(options, runtime, previous);
}

function withDefaults<T extends Timeouts | Bounds>(what: string, defaults: T, given: Partial<T> | undefined): T {
  const all = { ...defaults };
  for (const [name, value] of Object.entries(given ?? {})) {
    if (value === undefined) continue;
    if (!(name in defaults)) throw new RangeError(`Cannot use ${what}.${name}: there is no such setting`);
    if (typeof value !== "number" || !(value >= 0)) {
      throw new RangeError(`Cannot use ${what}.${name}: found ${String(value)}, expected a number of at least 0`);
    }
    Object.assign(all, { [name]: value });
  }
  return all;
}
