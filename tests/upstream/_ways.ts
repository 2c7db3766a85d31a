/**
 * Ways out that do what a test says.
 *
 * @module
 */
import { ProxyError, type ProxyPhase } from "../../src/client/proxy_error.ts";
import { NetError, type NetErrorCode } from "../../src/net/errors.ts";
import { type Target, targetOf } from "../../src/protocol/address.ts";
import { memory } from "../../src/runtime/memory.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { Clock } from "./_clock.ts";
import { groupWay } from "../../src/upstream/group.ts";
import type { WayHealth } from "../../src/upstream/group_surroundings.ts";
import type { GroupUpstream } from "../../src/upstream/upstream.ts";
import type { WayContext, WayOpened, WayOut, WayTunnel } from "../../src/upstream/way_out.ts";

/** The target of tests. */
export const TARGET: Target = targetOf("target.example", 443);

/** A failure of a proxy. */
export function proxyFailure(phase: ProxyPhase, code: NetErrorCode, place: { isLast?: boolean; reply?: number } = {}) {
  const proxy = { scheme: "socks5h", host: "192.0.2.1", port: 1080 } as const;
  const { isLast, reply } = place;
  return new ProxyError({ hop: 0, proxy, phase, isLast }, code, "it is a test", { reply });
}

/** What a way does: nothing, until it is called off; succeed, after some time; or fail. */
export type Deed = "hang" | "hang at the target" | number | Error;

/** A way out that does what it is told. */
export class Way implements WayOut {
  readonly name: string;
  readonly keepsNames: boolean;
  readonly isolates: boolean;
  /** What it does next, and from then on. */
  deed: Deed = 0;
  /** Who was asked, one after the other. */
  readonly #log: string[];
  /** How many connections it made that were closed. */
  closed = 0;
  readonly associate?: (context: WayContext) => Promise<WayTunnel>;
  readonly lookup?: (target: Target, context: WayContext) => Promise<Target>;
  readonly #clock: Clock;

  constructor(
    name: string,
    clock: Clock,
    log: string[],
    options: { keepsNames?: boolean; isolates?: boolean; udp?: boolean; lookups?: boolean } = {},
  ) {
    this.name = name;
    this.keepsNames = options.keepsNames ?? true;
    this.isolates = options.isolates ?? false;
    this.#clock = clock;
    this.#log = log;
    if (options.lookups === true) {
      this.lookup = async (target, context) => {
        await this.connect(target, context);
        return targetOf("192.0.2.80", 0);
      };
    }
    if (options.udp === true) {
      this.associate = async (context) => {
        await this.connect(targetOf("0.0.0.0", 0), context);
        return { send() {}, closed: new Promise(() => {}), close() {} };
      };
    }
  }

  async connect(_target: Target, context: WayContext): Promise<WayOpened> {
    this.#log.push(this.name);
    const { deed } = this;
    if (deed === "hang at the target") context.asked?.();
    if (typeof deed === "string") {
      await new Promise((_, reject) => {
        const fail = (): void => {
          const { code } = context.signal.reason as NetError;
          reject(proxyFailure(deed === "hang" ? "dial" : "reply", code));
        };
        if (context.signal.aborted) fail();
        context.signal.addEventListener("abort", fail);
      });
    }
    if (deed instanceof Error) {
      if (deed instanceof ProxyError && deed.phase === "reply") context.asked?.();
      throw deed;
    }
    await new Promise<void>((resolve) => deed === 0 ? resolve() : this.#clock.schedule(resolve, deed as number));
    return { connection: { close: () => this.closed++ } as unknown as WayOpened["connection"] };
  }
}

/** A group of ways, and what it says of them. */
export class Grouped {
  readonly clock: Clock = new Clock();
  readonly ways: readonly Way[];
  readonly group: WayOut;
  /** Whom it asked, one after the other. */
  readonly log: string[] = [];
  /** What it said of its members' health. */
  readonly said: string[] = [];

  constructor(
    count: number,
    entry: Omit<GroupUpstream, "group"> = {},
    { random = () => 0.5, ...options }: ConstructorParameters<typeof Way>[3] & { random?: () => number } = {},
  ) {
    this.ways = Array.from({ length: count }, (_, index) => new Way("abcdef"[index]!, this.clock, this.log, options));
    this.group = groupWay(
      "team",
      { group: this.ways.map(({ name }) => name), ...entry },
      this.ways.map((way, index) => ({ name: way.name, way, weight: index + 1 })),
      {
        runtime: RUNTIME,
        lookup: () => Promise.reject(new NetError("name-not-found", "no lookups here")),
        onHealth: ({ group, member, isUp, reason }: WayHealth) =>
          this.said.push(`${group} ${member} ${isUp ? "up" : "down"}: ${reason}`),
        now: this.clock.now,
        random,
        schedule: this.clock.schedule,
      },
    );
  }

  /** Connects, and says by whom it was done, or what came of it. */
  async connect(target = TARGET, context: Partial<WayContext> = {}): Promise<string> {
    const before = this.log.length;
    const tried = (): string => this.log.slice(before).join("");
    try {
      await this.group.connect(target, { ...contextOf(), ...context });
      return tried();
    } catch (error) {
      return `${tried()}: ${error instanceof ProxyError ? error.phase : String(error)}`;
    }
  }
}

const RUNTIME: Runtime = memory();

/** The context of a request of nobody, or of some user. */
export function contextOf(user?: string, signal: AbortSignal = new AbortController().signal): WayContext {
  return {
    request: {
      id: 1,
      openedAt: 0,
      client: { ip: "203.0.113.1", port: 5000 },
      listener: undefined,
      isLocal: false,
      signal,
      protocol: "socks5",
      user: user === undefined ? undefined : { name: user },
      command: "connect",
      target: TARGET,
    },
    signal,
    runtime: RUNTIME,
    keepsName: true,
    addresses: () => Promise.reject(new NetError("name-not-found", "no lookups here")),
  };
}
