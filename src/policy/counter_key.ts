/**
 * Keys of counts.
 *
 * @module
 */

/**
 * Joins parts to a key of {@linkcode Counters}. Different parts make different keys: a colon within a part is written
 * as `%3A`, since clients choose some of them.
 *
 * @param parts What is counted: the name of the limit, who shares it, the period.
 * @returns The key, such as `office:ada:month-2026-11-01`.
 */
export function counterKey(...parts: readonly string[]): string {
  return parts.map(escape).join(":");
}

function escape(part: string): string {
  return /[%:]/.test(part) ? part.replaceAll("%", "%25").replaceAll(":", "%3A") : part;
}
