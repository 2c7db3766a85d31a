/**
 * What ends the body of an HTTP message, and which fields are for one hop alone (RFC 9112 section 6, RFC 9110 section 7.6).
 *
 * @module
 */

import { badMessage, type Field, valuesOf } from "../protocol/http_head.ts";

/** The bytes of a body, or what ends it: a last chunk, or the end of the connection. */
export type Framing = number | "chunked" | "close";

/**
 * Reads what a message says of its body. Of anything that two readers could understand in two ways there is no reading.
 *
 * @param fields The fields of the message.
 * @param minor Its version, after `HTTP/1.`.
 * @returns The framing, or `undefined` if it says nothing.
 * @throws {ProtocolError} `http` if it is not plain.
 */
export function framingOf(fields: readonly Field[], minor: number): number | "chunked" | undefined {
  const codings = valuesOf(fields, "transfer-encoding");
  const lengths = valuesOf(fields, "content-length");
  if (codings.length > 0) {
    if (lengths.length > 0) throw badMessage("found both Transfer-Encoding and Content-Length");
    if (codings.length > 1 || codings[0]!.toLowerCase() !== "chunked") {
      throw badMessage("found a Transfer-Encoding other than chunked");
    }
    if (minor === 0) throw badMessage("found Transfer-Encoding in HTTP/1.0");
    return "chunked";
  }
  if (lengths.length === 0) return undefined;
  if (lengths.length > 1) throw badMessage("found more than one Content-Length");
  if (!/^\d{1,15}$/.test(lengths[0]!)) throw badMessage("the Content-Length is no number of bytes");
  return Number(lengths[0]);
}

/** What is for one hop alone, or what we write ourselves. */
const HOP_BY_HOP = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authentication-info",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** What the fields called Connection list, in lower case. */
export function connectionOptions(fields: readonly Field[]): ReadonlySet<string> {
  const lists = valuesOf(fields, "connection").flatMap((value) => value.split(","));
  return new Set(lists.map((option) => option.trim().toLowerCase()));
}

/**
 * The fields to hand on: those that are not for one hop, without what the message's Connection lists and without those
 * that say how long the body is.
 *
 * @param fields The fields of the message.
 * @param options What its Connection lists.
 */
export function endToEnd(fields: readonly Field[], options: ReadonlySet<string>): Field[] {
  return fields.filter(({ name }) => {
    const known = name.toLowerCase();
    return !HOP_BY_HOP.has(known) && !options.has(known);
  });
}

/** The field that says how long a body is; none for one that ends with the connection. */
export function framingFields(framing: Framing | undefined): Field[] {
  if (framing === undefined || framing === "close") return [];
  if (framing === "chunked") return [{ name: "Transfer-Encoding", value: "chunked" }];
  return [{ name: "Content-Length", value: String(framing) }];
}
