/**
 * Several ways out as one.
 *
 * @module
 */

import { parseEndpoint } from "../net/endpoint.ts";
import { type Target, targetOf } from "../protocol/address.ts";
import { Attempt } from "./attempt.ts";
import { type Choose, chooser } from "./group_choice.ts";
import { GroupMember, type GroupWay } from "./group_member.ts";
import { type GroupSurroundings, type Schedule, unheldTimer, type WayHealth } from "./group_surroundings.ts";
import { MemberCheck } from "./health_check.ts";
import type { GroupUpstream } from "./upstream.ts";
import { type Blame, blameFor, blameForService } from "./way_fault.ts";
import type { WayBinding, WayContext, WayOpened, WayOut, WayTunnel } from "./way_out.ts";

/** What holds where a group does not say otherwise, in milliseconds. */
export const DEFAULT_CHECK: { readonly every: number; readonly timeout: number; readonly longestPause: number } = {
  every: 10_000,
  timeout: 5_000,
  longestPause: 300_000,
};

/**
 * Makes a way out of several. A member that fails by its own fault is down, and the next one is tried; it comes back when
 * a check succeeds or, without checks, when it is tried after a pause and works.
 *
 * @param name What rules and logs call it.
 * @param entry How it chooses and checks.
 * @param members Its members, at least one, whose names differ.
 * @param around What it needs of the world.
 * @throws {SyntaxError} For a target of checks that is no `HOST:PORT`.
 * @throws {RangeError} For no members, a weight or a time that is none.
 */
export function groupWay(
  name: string,
  entry: GroupUpstream,
  members: readonly GroupWay[],
  around: GroupSurroundings,
): WayOut {
  return new Group(name, entry, members, around);
}

/** What a member is to do. */
type Use<Result> = (way: WayOut, context: WayContext, name: string) => Promise<Result>;

class Group implements WayOut {
  readonly name: string;
  readonly keepsNames: boolean;
  readonly isolates: boolean;
  readonly bind?: (expected: Target, context: WayContext) => Promise<WayBinding>;
  readonly associate?: (
    context: WayContext,
    onDatagram: (data: Uint8Array, source: Target) => void,
  ) => Promise<WayTunnel>;
  readonly lookup?: (target: Target, context: WayContext) => Promise<Target>;
  readonly #members: readonly GroupMember[];
  readonly #choose: Choose;
  readonly #patience: number;
  readonly #now: () => number;
  readonly #schedule: Schedule;
  readonly #checks: readonly MemberCheck[];

  constructor(name: string, entry: GroupUpstream, members: readonly GroupWay[], around: GroupSurroundings) {
    const { every, timeout, longestPause } = timesOf(name, entry);
    const { runtime, onHealth, now = () => performance.now(), random = Math.random } = around;
    const schedule = around.schedule ?? unheldTimer;
    checkMembers(name, members);
    this.name = name;
    this.keepsNames = members.every(({ way }) => way.keepsNames);
    this.isolates = members.some(({ way }) => way.isolates === true);
    this.#members = members.map((member) =>
      new GroupMember(member, {
        first: every,
        longest: Math.max(every, longestPause),
        changed: (isUp, reason) => tell(onHealth, { group: name, member: member.name, isUp, reason }),
      })
    );
    this.#choose = chooser(entry.choose ?? "first", random);
    this.#patience = timeout;
    this.#now = now;
    this.#schedule = schedule;
    if (members.some(({ way }) => way.bind !== undefined)) {
      this.bind = (expected, context) => this.#bind(expected, context);
    }
    if (members.some(({ way }) => way.associate !== undefined)) {
      this.associate = (context, onDatagram) => this.#associate(context, onDatagram);
    }
    if (members.some(({ way }) => way.lookup !== undefined)) {
      this.lookup = (target, context) => this.#lookup(target, context);
    }
    const target = entry.check?.target === undefined ? undefined : checkTarget(name, entry.check.target);
    const options = { runtime, lookup: around.lookup.bind(around), every, timeout, now };
    this.#checks = target === undefined
      ? []
      : this.#members.map((member) => new MemberCheck(member, { ...options, target, random, schedule }));
  }

  connect(target: Target, context: WayContext): Promise<WayOpened> {
    return this.#through(this.#members, target, context, async (way, context, name) => {
      const opened = await way.connect(target, context);
      return { ...opened, by: opened.by === undefined ? name : `${name}/${opened.by}` };
    });
  }

  member(name: string): WayOut | undefined {
    return this.#members.find((member) => member.name === name)?.way;
  }

  close(): void {
    for (const check of this.#checks) check.close();
  }

  #bind(expected: Target, context: WayContext): Promise<WayBinding> {
    const able = this.#members.filter(({ way }) => way.bind !== undefined);
    const use: Use<WayBinding> = (way, context) => way.bind!(expected, context);
    return this.#through(able, expected, context, use, blameForService);
  }

  #associate(context: WayContext, onDatagram: (data: Uint8Array, source: Target) => void): Promise<WayTunnel> {
    const able = this.#members.filter(({ way }) => way.associate !== undefined);
    const use: Use<WayTunnel> = (way, context) => way.associate!(context, onDatagram);
    return this.#through(able, context.request.target, context, use, blameForService);
  }

  #lookup(target: Target, context: WayContext): Promise<Target> {
    const able = this.#members.filter(({ way }) => way.lookup !== undefined);
    const use: Use<Target> = (way, context) => way.lookup!(target, context);
    return this.#through(able, target, context, use, blameForService);
  }

  /** Tries members one after the other, each at most once, until one works or fails by no fault of its own. */
  async #through<Result>(
    members: readonly GroupMember[],
    target: Target,
    context: WayContext,
    use: Use<Result>,
    blameOf: typeof blameFor = blameFor,
  ): Promise<Result> {
    let left = [...members];
    for (;;) {
      const member = this.#next(left, target, context);
      left.splice(left.indexOf(member), 1);
      const outcome = await this.#try(member, left.length > 0, context, use, blameOf);
      if ("result" in outcome) return outcome.result;
      // What may well be the target's fault is no reason to wait for members that are down.
      if (outcome.isOfWay && !outcome.isForAll) left = this.#open(left);
      if (left.length === 0 || !outcome.isOfWay || context.signal.aborted) throw outcome.error;
    }
  }

  /** One that is up or due for a trial; if there is none, the one whose failure is longest ago. */
  #next(left: readonly GroupMember[], target: Target, { request }: WayContext): GroupMember {
    const candidates = this.#open(left);
    if (candidates.length > 0) return this.#choose(candidates, { request, target });
    return left.reduce((best, other) => other.health.failedAt < best.health.failedAt ? other : best);
  }

  /** Those that are up, or due for a trial. */
  #open(members: readonly GroupMember[]): GroupMember[] {
    const now = this.#now();
    return members.filter(({ health }) => health.isUp || this.#checks.length === 0 && health.isDue(now));
  }

  async #try<Result>(
    { name, way, health }: GroupMember,
    areOthersLeft: boolean,
    context: WayContext,
    use: Use<Result>,
    blameOf: typeof blameFor,
  ): Promise<{ readonly result: Result } | Blame & { readonly error: unknown }> {
    const { request, runtime, signal } = context;
    const since = this.#now();
    health.claim(since);
    const attempt = areOthersLeft ? new Attempt(signal, this.#patience, this.#schedule) : undefined;
    let isAsked = false;
    try {
      const result = await use(way, {
        request,
        runtime,
        keepsName: context.keepsName,
        signal: attempt?.signal ?? signal,
        addresses: () => context.addresses(),
        asked: () => {
          isAsked = true;
          attempt?.asked();
          context.asked?.();
        },
      }, name);
      health.succeeded(since, "a connection succeeded");
      if (this.#checks.length === 0) health.measured(this.#now() - since);
      return { result };
    } catch (error) {
      const now = this.#now();
      const isOverdue = attempt?.isOverdue === true;
      const blame = blameOf(error, way);
      // A client that leaves, or has no time left, says nothing of the way.
      const isCalledOff = signal.aborted && !isOverdue && now - since < this.#patience;
      if (blame.isForAll && !isCalledOff) health.failed(since, now, messageOf(error));
      else if (isAsked && !blame.isOfWay && this.#checks.length === 0) health.succeeded(since, "it answers");
      return { error, isOfWay: blame.isOfWay || isOverdue, isForAll: blame.isForAll };
    } finally {
      attempt?.end();
    }
  }
}

/** Tells somebody, whose own affair it is what becomes of that. */
function tell(onHealth: GroupSurroundings["onHealth"], health: WayHealth): void {
  try {
    onHealth?.(health);
  } catch {
    // See above.
  }
}

function checkMembers(name: string, members: readonly GroupWay[]): void {
  if (members.length === 0) {
    throw new RangeError(`Cannot use the group "${name}": found no members, expected at least one`);
  }
  for (const { name: member, weight } of members) {
    if (weight > 0 && weight < Infinity) continue;
    throw new RangeError(
      `Cannot use the group "${name}": found weight ${weight} of "${member}", expected a number above 0`,
    );
  }
}

function timesOf(name: string, { check }: GroupUpstream): typeof DEFAULT_CHECK {
  const { every = DEFAULT_CHECK.every, timeout = DEFAULT_CHECK.timeout, longestPause = DEFAULT_CHECK.longestPause } =
    check ?? {};
  for (const [what, time] of Object.entries({ every, timeout, longestPause })) {
    if (time > 0 && time < 2 ** 31) continue;
    throw new RangeError(
      `Cannot use the group "${name}": found ${time} for check.${what}, expected milliseconds above 0 and below 2^31`,
    );
  }
  return { every, timeout, longestPause };
}

function checkTarget(name: string, text: string): Target {
  const endpoint = parseEndpoint(text);
  if ("path" in endpoint || endpoint.port === 0) {
    throw new SyntaxError(`Cannot use the group "${name}": found "${text}" for check.target, expected HOST:PORT`);
  }
  return targetOf(endpoint.host, endpoint.port);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
