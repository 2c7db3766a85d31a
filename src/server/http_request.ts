/**
 * Requests to an HTTP proxy: CONNECT, and those in absolute form (RFC 9112 section 3.2).
 *
 * @module
 */

import { parseIp } from "../net/address.ts";
import { type Target, targetOf } from "../protocol/address.ts";
import { connectionOptions, endToEnd, type Framing, framingFields, framingOf } from "./http_framing.ts";
import { badMessage, encodeHead, type Field, parseFields, valuesOf } from "../protocol/http_head.ts";

/** A request, understood. */
export interface HttpRequest {
  /** In capitals. */
  readonly method: string;
  /** The client's version, after `HTTP/1.`. */
  readonly minor: number;
  /** Where it leads; absent if it is meant for this server itself, in origin form. */
  readonly target: Target | undefined;
  /** The target as the client wrote it, which becomes Host. */
  readonly authority: string;
  /** What the origin is asked for. */
  readonly path: string;
  readonly fields: readonly Field[];
  readonly framing: Framing | undefined;
  /** What its Connection lists. */
  readonly options: ReadonlySet<string>;
  /** Whether the client would go on after it. */
  readonly keepsAlive: boolean;
  /** Whether it asks for a WebSocket. */
  readonly upgrades: boolean;
  /** Proxy-Authorization. */
  readonly credentials: string | undefined;
}

const AUTHORITY = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._~-]{1,255}))(?::(\d{1,5}))?$/;
const ABSOLUTE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^#]*)$/;

/**
 * Understands a request.
 *
 * @param lines The lines of its head.
 * @throws {ProtocolError} `http` for what is not plain, or what a proxy cannot do.
 */
export function parseRequest(lines: readonly string[]): HttpRequest {
  const [method, uri, version] = lines[0]!.split(" ") as [string, string, string];
  if (!version.startsWith("HTTP/1.") || !/[01]$/.test(version)) throw badMessage(`found ${version}, expected HTTP/1.1`);
  const minor = Number(version.slice(-1));
  const fields = parseFields(lines.slice(1));
  const options = connectionOptions(fields);
  const framing = framingOf(fields, minor);
  checkHost(fields, minor, method);
  const credentials = valuesOf(fields, "proxy-authorization");
  if (credentials.length > 1) throw badMessage("found more than one Proxy-Authorization");
  const isWebSocket = valuesOf(fields, "upgrade").join().toLowerCase() === "websocket" && options.has("upgrade");
  if (method === "CONNECT" && framing !== undefined && framing !== 0) throw badMessage("found a CONNECT with a body");
  return {
    ...method === "CONNECT" ? authorityForm(uri) : absoluteForm(method, uri),
    method,
    minor,
    fields,
    framing,
    options,
    keepsAlive: minor === 1 && !options.has("close") && !saysClose(fields),
    upgrades: minor === 1 && isWebSocket && method === "GET" && (framing === undefined || framing === 0),
    credentials: credentials[0],
  };
}

/** What older clients write in place of Connection. */
function saysClose(fields: readonly Field[]): boolean {
  return valuesOf(fields, "proxy-connection").some((value) => /\bclose\b/i.test(value));
}

/** One Host, and one that may be. Which it is does not matter: the absolute form wins. Some tools leave it out of CONNECT. */
function checkHost(fields: readonly Field[], minor: number, method: string): void {
  const hosts = valuesOf(fields, "host");
  if (hosts.length > 1) throw badMessage("found more than one Host");
  if (hosts.length === 0 && minor === 1 && method !== "CONNECT") throw badMessage("found no Host");
  if (hosts.length === 1 && hosts[0] !== "" && !AUTHORITY.test(hosts[0]!)) throw badMessage("the Host is none");
}

type Whereto = Pick<HttpRequest, "target" | "authority" | "path">;

function authorityForm(uri: string): Whereto {
  const target = targetIn(uri, undefined);
  return { target, authority: uri, path: "" };
}

function absoluteForm(method: string, uri: string): Whereto {
  if (uri.startsWith("/") || uri === "*") return { target: undefined, authority: "", path: uri };
  const match = ABSOLUTE.exec(uri);
  if (match === null) throw badMessage("the target is no URL");
  const [, scheme, authority, rest] = match as unknown as [string, string, string, string];
  if (scheme.toLowerCase() !== "http") throw badMessage("the target's scheme is not http; for https there is CONNECT");
  if (rest.includes("\\")) throw badMessage("found a backslash in the target");
  const path = rest === "" ? method === "OPTIONS" ? "*" : "/" : rest.startsWith("?") ? `/${rest}` : rest;
  return { target: targetIn(authority, 80), authority, path };
}

function targetIn(authority: string, defaultPort: number | undefined): Target {
  const match = AUTHORITY.exec(authority);
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  if (match === null || port === undefined || port < 1 || port > 65535) {
    throw badMessage("the target is no HOST:PORT");
  }
  const [, bracketed, name] = match;
  if (bracketed !== undefined && parseIp(bracketed)?.includes(":") !== true) {
    throw badMessage("the target's address is none");
  }
  return targetOf(bracketed ?? name!, port);
}

/** Whether two requests lead to the same origin. */
export function isForSame(a: HttpRequest, b: HttpRequest): boolean {
  return a.target?.host === b.target?.host && a.target?.port === b.target?.port;
}

/** Writes a request as its origin gets it. */
export function encodeRequest(request: HttpRequest): Uint8Array {
  const { method, path, authority, fields, options, framing, keepsAlive, upgrades, minor } = request;
  const kept = endToEnd(fields, options).filter(({ name }) => {
    const known = name.toLowerCase();
    return known !== "host" && !(known === "expect" && minor === 0);
  });
  const connection = upgrades ? ["Upgrade"] : keepsAlive ? [] : ["close"];
  return encodeHead(`${method} ${path} HTTP/1.1`, [
    { name: "Host", value: authority },
    ...kept,
    ...framingFields(framing),
    ...connection.map((value) => ({ name: "Connection", value })),
    ...upgrades ? [{ name: "Upgrade", value: "websocket" }] : [],
  ]);
}
