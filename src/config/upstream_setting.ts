/**
 * Ways out as they are written: secrets are not fetched yet.
 *
 * @module
 */

import type { GroupUpstream } from "../upstream/upstream.ts";
import type { Secret } from "./secret.ts";

/** A proxy or a chain of them. */
export interface ChainSetting {
  /** What rules, groups and the log call it. */
  readonly name: string;
  /** The URLs, the nearest first. Each may hold a password. */
  readonly proxy: readonly Secret[];
  /** The login at the last proxy, for each session anew. */
  readonly isolate?: { readonly user: string; readonly password?: Secret | undefined } | undefined;
  /** Files with certificates of authorities, in PEM. */
  readonly authorities?: readonly string[] | undefined;
}

/** Several ways out, of which one is taken each time. */
export interface GroupSetting extends GroupUpstream {
  /** What rules, groups and the log call it. */
  readonly name: string;
}

/** A way out. */
export type UpstreamSetting = ChainSetting | GroupSetting;

/** Names that are ways out by themselves. */
export const OWN_WAYS: readonly string[] = ["direct", "block"];

/** Whether something is the name of a way out, as far as that can be told without knowing them; a URL is none. */
export function isWayName(text: string): boolean {
  return /^[\p{L}\p{N}_][\p{L}\p{N}\p{M}_.-]{0,63}$/u.test(text);
}
