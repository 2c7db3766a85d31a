/**
 * Answers of origins, and how they are handed on.
 *
 * @module
 */

import { connectionOptions, endToEnd, type Framing, framingFields, framingOf } from "./http_framing.ts";
import { badMessage, encodeHead, type Field, parseFields, valuesOf } from "../protocol/http_head.ts";
import type { HttpRequest } from "./http_request.ts";

/** An answer, understood. */
export interface HttpResponse {
  /** 100 to 599. */
  readonly status: number;
  /** What follows the version in its first line. */
  readonly statusLine: string;
  readonly fields: readonly Field[];
  /** What its fields say of the body. */
  readonly stated: number | "chunked" | undefined;
  /** How its body ends; 0 where it has none, whatever the fields say. */
  readonly framing: Framing;
  /** What its Connection lists. */
  readonly options: ReadonlySet<string>;
  /** Whether the origin would go on after it. */
  readonly keepsAlive: boolean;
}

/**
 * Understands an answer.
 *
 * @param lines The lines of its head.
 * @param request What it answers.
 * @throws {ProtocolError} `http` for what is not plain, or what no origin may say.
 */
export function parseResponse(lines: readonly string[], request: HttpRequest): HttpResponse {
  const minor = Number(lines[0]![7]);
  const statusLine = lines[0]!.slice(9);
  const status = Number(statusLine.slice(0, 3));
  // A client would show the origin what it has for us.
  if (status === 407) throw badMessage("found 407 from an origin");
  const fields = parseFields(lines.slice(1));
  const options = connectionOptions(fields);
  const stated = framingOf(fields, minor);
  const isBare = request.method === "HEAD" || status < 200 || status === 204 || status === 304;
  const framing = isBare ? 0 : stated ?? "close";
  const keepsAlive = minor === 1 && !options.has("close") && framing !== "close" && status !== 101;
  return { status, statusLine, fields, stated, framing, options, keepsAlive };
}

/**
 * Writes the head of an answer as the client gets it.
 *
 * @param response The answer.
 * @param request What it answers.
 * @param keepsAlive Whether the client may go on after it.
 */
export function encodeResponse(response: HttpResponse, request: HttpRequest, keepsAlive: boolean): Uint8Array {
  const { status, statusLine, fields, stated, options } = response;
  const hasFraming = status >= 200 && status !== 204;
  const framing = hasFraming && !(stated === "chunked" && request.minor === 0) ? stated : undefined;
  const switched = status === 101 ? valuesOf(fields, "upgrade").map((value) => ({ name: "Upgrade", value })) : [];
  const connection = status === 101 ? ["Upgrade"] : status < 200 || keepsAlive ? [] : ["close"];
  return encodeHead(`HTTP/1.1 ${statusLine}`, [
    ...endToEnd(fields, options),
    ...framingFields(framing),
    ...connection.map((value) => ({ name: "Connection", value })),
    ...switched,
  ]);
}
