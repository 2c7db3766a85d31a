/**
 * The way that leads nowhere.
 *
 * @module
 */

import { NetError } from "../net/errors.ts";
import { BLOCK } from "./members_first.ts";
import type { WayOut } from "./way_out.ts";

/** Refuses everything, as a rule does that denies. */
export const BLOCK_WAY: WayOut = {
  name: BLOCK,
  keepsNames: true,
  connect: refuse,
  bind: refuse,
  associate: refuse,
};

function refuse(): Promise<never> {
  return Promise.reject(new NetError("not-allowed", 'Not allowed: its way out is "block"'));
}
