/**
 * What groups of ways out need of the world.
 *
 * @module
 */

import type { IpAddress } from "../net/address.ts";
import type { Runtime } from "../runtime/runtime.ts";
import type { WayContext } from "./way_out.ts";

/** A member of a group went down or came back. */
export interface WayHealth {
  /** The group's name. */
  readonly group: string;
  /** The member's name. */
  readonly member: string;
  /** Whether it is up now. */
  readonly isUp: boolean;
  /** Why. No password is in it. */
  readonly reason: string;
}

/** What groups need of the world. */
export interface GroupSurroundings {
  /** The system. */
  readonly runtime: Runtime;
  /** Resolves the name of a health check's target, for ways that do not leave names to somebody else. */
  lookup(name: string, errand: Pick<WayContext, "request" | "signal">): Promise<readonly IpAddress[]>;
  /** Is told when a member goes down or comes back. */
  readonly onHealth?: ((health: WayHealth) => void) | undefined;
  /**
   * The time in milliseconds, which never goes back.
   *
   * @default {performance.now}
   */
  readonly now?: (() => number) | undefined;
  /**
   * Numbers from 0 to below 1.
   *
   * @default {Math.random}
   */
  readonly random?: (() => number) | undefined;
  /**
   * Calls back later; what it returns calls that off.
   *
   * @default A timer that does not keep the process.
   */
  readonly schedule?: Schedule | undefined;
}

/** Calls back after some milliseconds, unless what it returns is called before. */
export type Schedule = (callback: () => void, ms: number) => () => void;

/** A timer that does not keep the process, where the runtime has such. */
export function unheldTimer(callback: () => void, ms: number): () => void {
  const timer: unknown = setTimeout(callback, ms);
  (timer as { unref?(): void }).unref?.();
  return () => clearTimeout(timer as ReturnType<typeof setTimeout>);
}
