/**
 * What was found where something else was expected.
 *
 * @module
 */

import { printable } from "./printable.ts";

/**
 * Describes a value for a message: text in quotes, shortened and made printable.
 *
 * @param value What stands in a file or after a flag.
 */
export function describeFound(value: unknown): string {
  if (typeof value === "string") {
    const characters = [...value];
    return `"${printable(characters.length > 60 ? `${characters.slice(0, 60).join("")}…` : value)}"`;
  }
  return value === null || typeof value === "number" || typeof value === "boolean" ? `${value}` : describeKind(value);
}

/**
 * Describes a value that may be a secret, or hold one: its kind and its size.
 *
 * @param value What stands in a file or after a flag.
 */
export function describeKind(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "string") {
    const size = new TextEncoder().encode(value).length;
    return size === 0 ? "empty text" : `text of ${size} ${size === 1 ? "byte" : "bytes"}`;
  }
  if (value instanceof Date) return "a date or time";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
