/**
 * Stands in for `jsr:@std/assert` where JSR is out of reach: `links` in deno.json points here, and the assertions this
 * project uses behave as the real ones do. Built upon `node:assert`, it runs unchanged on Deno, Bun and Node.
 *
 * @module
 */

export { AssertionError } from "node:assert";
export * from "./equality.ts";
export * from "./errors.ts";
export * from "./values.ts";
