/**
 * What all sessions of one server share.
 *
 * @module
 */

import type { Authenticate } from "../auth/authenticate.ts";
import { noAuthentication } from "../auth/no_authentication.ts";
import { userList } from "../auth/user_list.ts";
import type { SocketAddress } from "../net/address.ts";
import { Authoriser } from "../policy/authorise.ts";
import type { Counters } from "../policy/counters.ts";
import { guardedLogin } from "../policy/guarded_login.ts";
import { limiter, type Limits } from "../policy/limits.ts";
import { loginGuard } from "../policy/login_guard.ts";
import { makeCounters } from "../policy/make_counters.ts";
import type { Rule } from "../policy/rule.ts";
import { compileRules } from "../policy/rule_set.ts";
import type { Grant, Rules } from "../policy/rules.ts";
import { safeDefaults } from "../policy/safe_defaults.ts";
import { Method } from "../protocol/constants.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { WayOut } from "../upstream/way_out.ts";
import type { Ways } from "../upstream/ways.ts";
import { secretMethods } from "./chap_offer.ts";
import { Deadlines } from "./deadlines.ts";
import { type HeedfulDial, heedSignal } from "./dial.ts";
import { type KnownMethods, Methods } from "./methods.ts";
import type { ForwardPlan } from "./forward_plan.ts";
import type { Observer } from "./observer.ts";
import { type Bounds, DEFAULT_BOUNDS, DEFAULT_TIMEOUTS, type HandleOptions, type Timeouts } from "./options.ts";
import { type Outgoing, outgoing } from "./outgoing.ts";
import type { Resolve } from "./resolve.ts";
import { resolver } from "./resolver.ts";
import type { Reverse } from "./reverse.ts";
import { reverser } from "./reverser.ts";
import { facilitiesOf, mayKeepNames, type Traveller, waysOf } from "./ways_of.ts";

/** Options with their defaults filled in, and the state that outlives a session. */
export class Service {
  /** As given: what has no default. */
  readonly options: HandleOptions;
  readonly runtime: Runtime;
  readonly timeouts: Timeouts;
  readonly bounds: Bounds;
  /** Absent if nothing is limited. */
  readonly limiter: Limits | undefined;
  /** Absent if the system chooses. */
  readonly outgoing: Outgoing | undefined;
  readonly observer: Observer;
  readonly authoriser: Authoriser;
  /** The check of credentials; absent if nobody has to log in. */
  readonly authenticate: Authenticate | undefined;
  /** The methods that SOCKS5 clients may choose from. */
  readonly methods: Methods;
  readonly resolve: Resolve | false;
  /** Absent if there is no means to. */
  readonly reverse: Reverse | undefined;
  /** The dialler that the options give, if they do. */
  readonly customDial: HeedfulDial | undefined;
  /** The ways out. */
  readonly ways: Ways;
  /** Whether any request may take a way out that leaves names to the other end. */
  readonly keepsNames: boolean;
  readonly deadlines: Deadlines;
  /** Where this server serves SOCKS, with IP addresses. */
  readonly listeners: SocketAddress[] = [];
  /** Where its forwards listen, with IP addresses. */
  readonly forwards: Readonly<Record<"tcp" | "udp", SocketAddress[]>> = { tcp: [], udp: [] };
  /** What its forwards do. */
  readonly plans: ForwardPlan[] = [];
  /** What is counted on when the options change. */
  readonly counts: { associations: number; lastId: number };

  readonly #store: Store;

  /**
   * @param options What the server was told.
   * @param runtime The system it runs on.
   * @param store Where counts are kept.
   * @param previous The service in whose place this one comes.
   * @param opened Methods that took time to make.
   * @throws {RangeError} If a user, a rule, a limit or a number in the options makes no sense.
   */
  constructor(options: HandleOptions, runtime: Runtime, store: Store, previous?: Service, opened: KnownMethods = {}) {
    this.options = options;
    this.counts = previous?.counts ?? { associations: 0, lastId: 0 };
    this.runtime = runtime;
    this.#store = store;
    this.timeouts = withDefaults("timeouts", DEFAULT_TIMEOUTS, options.timeouts);
    this.bounds = withDefaults("bounds", DEFAULT_BOUNDS, options.bounds);
    if (this.bounds.sessions < 1) {
      throw new RangeError(
        `Cannot use bounds.sessions: found ${this.bounds.sessions}, expected a number of at least 1`,
      );
    }
    this.observer = options.observer ?? {};
    const allowPrivate = options.allowPrivate ?? false;
    const facts = {
      allowPrivate,
      listeners: () => this.listeners,
      forwards: () => this.forwards,
      interfaces: () => runtime.interfaces(),
    };
    const { users, trustUserIds } = options;
    this.authoriser = new Authoriser(rulesOf(options), safeDefaults(facts));
    this.limiter = limiterOf(options, store.counters, previous);
    const check = options.authenticate ??
      (users !== undefined && users.length > 0 ? userList(users, { trustUserIds }) : undefined);
    this.authenticate = check === undefined || options.logins === false
      ? check
      : guardedLogin(check, loginGuard(options.logins ?? {}, store.counters));
    this.methods = new Methods(options, {
      none: noAuthentication,
      ...secretMethods(options, this.authenticate),
      ...opened,
    });
    const byDefault = options.resolver === undefined
      ? (name: string) => runtime.lookup(name)
      : resolver(options.resolver, runtime);
    this.resolve = options.resolve ?? byDefault;
    this.reverse = options.reverse ?? (options.resolve === undefined ? reverser(options.resolver, runtime) : undefined);
    this.outgoing = options.outgoing === undefined ? undefined : outgoing(options.outgoing);
    this.customDial = options.dial === undefined ? undefined : heedSignal(options.dial);
    this.ways = waysOf(options, this, previous?.ways);
    this.keepsNames = mayKeepNames(options, this.ways);
    this.deadlines = new Deadlines(Math.min(...Object.values(this.timeouts).filter((ms) => ms > 0), 5_000));
  }

  /**
   * The check of passwords and user ids for those clients of a listener who come another way than SOCKS5.
   *
   * @returns `undefined` if they need not log in, `nobody` if they cannot: the listener has other methods alone.
   */
  loginFor(listener: string | undefined): Authenticate | undefined {
    const hasPassword = this.authenticate !== undefined && this.methods.has(listener, Method.USERNAME_PASSWORD);
    if (hasPassword) return this.authenticate;
    return this.methods.has(listener, Method.NONE) ? undefined : nobody;
  }

  /**
   * The way out that a request takes.
   *
   * @param grant What the rules said of it.
   * @param request The request.
   * @returns `undefined` for the direct one.
   * @throws {NetError} If a rule of somebody's own asks for one that is not there.
   */
  wayFor(grant: Grant | undefined, request: Traveller): WayOut | undefined {
    const name = grant?.via ?? request.forward?.via ?? this.options.via;
    return name === undefined ? undefined : this.ways.find(name);
  }

  /** Where counts are kept. */
  get store(): Store {
    return this.#store;
  }

  /** Takes the place of the service before: its sessions are held to the limits of this one, too. */
  begin(): void {
    this.limiter?.begin();
    this.ways.use(facilitiesOf(this));
  }

  /**
   * Lets go of what it holds without having served anyone.
   *
   * @param previous The service that goes on in its place.
   */
  async discard(previous: Service | undefined): Promise<void> {
    this.ways.close(previous?.ways);
    this.deadlines.rest();
    if (this.#store !== previous?.store) await (this.limiter ?? this.#store.counters).close();
  }

  /** Lets go of what it holds, once its last session is over. */
  async close(): Promise<void> {
    this.deadlines.rest(); // a program may end as soon as its server has
    this.ways.close();
    await (this.limiter ?? this.#store.counters).close(); // the limiter closes what it counts with
  }

  /**
   * Another service has come in its place; some sessions may still be its.
   *
   * @param next That service.
   */
  async retire(next: Service): Promise<void> {
    this.deadlines.rest();
    this.ways.close(next.ways);
    if (next.store !== this.#store) await (this.limiter ?? this.#store.counters).close();
  }

  /** The next session's number. */
  nextId(): number {
    return ++this.counts.lastId;
  }
}

/** Lets nobody in. */
const nobody: Authenticate = () => undefined;

/** Where counts are kept, and the options that said so. */
interface Store {
  readonly said: string;
  readonly counters: Counters;
}

/**
 * Makes a service.
 *
 * @param options What the server was told.
 * @param runtime The system it runs on.
 * @param previous The service in whose place it comes. Its counts go on if they are kept in the same place.
 * @throws {RangeError} If an option makes no sense.
 * @throws {Error} If the store cannot be opened.
 */
export async function openService(options: HandleOptions, runtime: Runtime, previous?: Service): Promise<Service> {
  const said = JSON.stringify(options.store ?? {});
  const isSame = previous?.store.said === said;
  const store = isSame
    ? previous.store
    : { said, counters: await makeCounters(options.store, { onState: options.onStore }) };
  try {
    return new Service(options, runtime, store, previous, await openMethods(options));
  } catch (error) {
    if (!isSame) await store.counters.close();
    throw error;
  }
}

/** Methods that need time, or what is not always there: loaded when they are configured. */
async function openMethods({ auth }: HandleOptions): Promise<KnownMethods> {
  if (auth?.gssapi === undefined) return {};
  const { gssapi } = await import("../auth/gssapi.ts");
  return { gssapi: await gssapi(auth.gssapi) };
}

function limiterOf(options: HandleOptions, counters: Counters, previous: Service | undefined): Limits | undefined {
  const { limits = [], rules = [] } = options;
  const isLimited = limits.length > 0 || !isList(rules) || rules.some((rule) => rule.limits !== undefined);
  return isLimited ? limiter(limits, { counters, previous: previous?.limiter }) : undefined;
}

/** Without any, nothing is made for each request to be asked about. */
function rulesOf({ rules = [], otherwise = "safe" }: HandleOptions): Rules {
  if (!isList(rules)) return rules;
  return rules.length === 0 && otherwise === "safe" ? {} : compileRules(rules, { otherwise });
}

function isList(rules: readonly Rule[] | Rules): rules is readonly Rule[] {
  return Array.isArray(rules);
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
