/**
 * A member of a group, with its health.
 *
 * @module
 */

import type { Candidate } from "./group_choice.ts";
import { Health, type Pauses } from "./health.ts";
import type { WayOut } from "./way_out.ts";

/** A way out that belongs to a group. */
export interface GroupWay {
  /** Its name within the group. */
  readonly name: string;
  /** The way. */
  readonly way: WayOut;
  /** How much of the whole it is to get with `weighted`, above 0. */
  readonly weight: number;
}

/** A member, as the group knows it. */
export class GroupMember implements Candidate {
  /** Its name. */
  readonly name: string;
  /** How much of the whole it is to get. */
  readonly weight: number;
  /** The way. */
  readonly way: WayOut;
  /** How it is. */
  readonly health: Health;

  /**
   * @param member The way.
   * @param pauses When it is tried again after a failure.
   */
  constructor({ name, way, weight }: GroupWay, pauses: Pauses) {
    this.name = name;
    this.weight = weight;
    this.way = way;
    this.health = new Health(pauses);
  }

  /** How long it has taken lately, in milliseconds. */
  get latency(): number | undefined {
    return this.health.latency;
  }
}
