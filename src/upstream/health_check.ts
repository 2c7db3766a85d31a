/**
 * Looks whether the members of a group are up, now and then.
 *
 * @module
 */

import { canonicalIp } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import type { RequestInfo } from "../policy/rules.ts";
import type { Target } from "../protocol/address.ts";
import type { GroupMember } from "./group_member.ts";
import type { GroupSurroundings, Schedule } from "./group_surroundings.ts";
import type { WayContext } from "./way_out.ts";

/** How to look. */
export interface HealthCheckOptions extends Pick<GroupSurroundings, "runtime" | "lookup"> {
  /** What to connect to. */
  readonly target: Target;
  /** How often, in milliseconds; somewhat more or less, so that checks do not fall together. */
  readonly every: number;
  /** How long a check may take, in milliseconds. */
  readonly timeout: number;
  /** The time in milliseconds. */
  readonly now: () => number;
  /** Numbers from 0 to below 1. */
  readonly random: () => number;
  /** Calls back later. */
  readonly schedule: Schedule;
}

/** The longest wait for the first check, in milliseconds. */
const FIRST = 1000;
/** How much earlier or later than said a check may be. */
const JITTER = 0.1;

/** The checks of one member, one after the other. */
export class MemberCheck {
  readonly #member: GroupMember;
  readonly #options: HealthCheckOptions;
  readonly #ending = new AbortController();
  #cancel: () => void;

  /**
   * Begins, soon.
   *
   * @param member The member.
   * @param options How to look.
   */
  constructor(member: GroupMember, options: HealthCheckOptions) {
    this.#member = member;
    this.#options = options;
    const { random, every, schedule } = options;
    this.#cancel = schedule(() => void this.#check(), random() * Math.min(FIRST, every));
  }

  /** Ends it, also a check that is under way. Idempotent. */
  close(): void {
    this.#cancel();
    this.#ending.abort(new NetError("aborted", "the checks have ended"));
  }

  async #check(): Promise<void> {
    const { target, every, timeout, now, random, schedule } = this.#options;
    const { health, way } = this.#member;
    const controller = new AbortController();
    const end = (): void => controller.abort(this.#ending.signal.reason);
    this.#ending.signal.addEventListener("abort", end, { once: true });
    const cancelTimeout = schedule(
      () => controller.abort(new NetError("timeout", `no answer within ${timeout} ms`)),
      timeout,
    );
    const since = now();
    try {
      const { connection } = await way.connect(target, this.#context(controller.signal));
      connection.close();
      health.succeeded(since, "a check succeeded");
      health.measured(now() - since);
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      health.failed(since, now(), `a check failed: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      cancelTimeout();
      this.#ending.signal.removeEventListener("abort", end);
    }
    if (this.#ending.signal.aborted) return;
    const wait = (health.isUp ? every : health.pause) * (1 - JITTER + 2 * JITTER * random());
    this.#cancel = schedule(() => void this.#check(), wait);
  }

  /** A check is nobody's request. */
  #context(signal: AbortSignal): WayContext {
    const { target, runtime, lookup } = this.#options;
    const toAddress = (ip: string) => ({ ip: canonicalIp(ip), port: target.port });
    const request: RequestInfo = {
      id: 0,
      openedAt: Date.now(),
      client: undefined,
      listener: undefined,
      isLocal: true,
      signal,
      protocol: "socks5",
      user: undefined,
      command: "connect",
      target,
    };
    return {
      request,
      signal,
      runtime,
      keepsName: this.#member.way.keepsNames,
      addresses: async () => {
        const ips = target.type === "name" ? await lookup(target.host, { request, signal }) : [target.host];
        return ips.map(toAddress);
      },
    };
  }
}
