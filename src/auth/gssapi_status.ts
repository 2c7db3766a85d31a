/**
 * What the library says of errors.
 *
 * @module
 */

import type { GssapiMemory } from "./gssapi_memory.ts";
import type { Routines } from "./gssapi_routines.ts";

/** What a routine answers has the error in its upper half, and what else there is to say in the lower one. */
export const ERRORS = 0xffff0000;
/** No error in particular. */
const FAILURE = 0x000d0000;

/**
 * What the library says of an error, and what the mechanism has to add; a mere "failure" adds nothing to that.
 *
 * @param routines The library.
 * @param memory Memory to use.
 * @param take Takes the output from it.
 * @param major What the routine answered.
 * @param minor What the mechanism did.
 */
export function reasonOf(
  routines: Routines,
  memory: GssapiMemory,
  take: (memory: GssapiMemory) => Uint8Array,
  major: number,
  minor: number,
): string {
  const told = (status: number, type: number): string => {
    memory.setNumber("moreStatus", 0);
    const [at, more, output] = [memory.at("minor"), memory.at("moreStatus"), memory.clearOutput()];
    if ((routines.gss_display_status(at, status, type, null, more, output) & ERRORS) !== 0) return "";
    return new TextDecoder().decode(take(memory));
  };
  const detail = minor === 0 ? "" : told(minor, 2);
  const general = detail !== "" && (major & ERRORS) === FAILURE ? "" : told(major, 1);
  return [general, detail].filter((text) => text !== "").join(": ") || `error ${(major >>> 0).toString(16)}`;
}
