/**
 * One table from what the runtimes report to the codes of {@linkcode NetError}.
 *
 * @module
 */

import { NetError, type NetErrorCode } from "../net/errors.ts";
import type { Abortable } from "./runtime.ts";

/** By errno (Node, Bun and node:* on Deno) or by the name of one of `Deno.errors`. */
const CODES: ReadonlyMap<string, NetErrorCode> = new Map<string, NetErrorCode>([
  ["ECONNREFUSED", "refused"],
  ["ConnectionRefused", "refused"],
  ["ENETUNREACH", "unreachable-network"],
  ["ENETDOWN", "unreachable-network"],
  ["ENONET", "unreachable-network"],
  ["EAFNOSUPPORT", "unreachable-network"],
  ["NetworkUnreachable", "unreachable-network"],
  ["EHOSTUNREACH", "unreachable-host"],
  ["EHOSTDOWN", "unreachable-host"],
  ["HostUnreachable", "unreachable-host"],
  ["ETIMEDOUT", "timeout"],
  ["TimedOut", "timeout"],
  ["ECONNRESET", "reset"],
  ["ECONNABORTED", "reset"],
  ["EPIPE", "reset"],
  ["ENOTCONN", "reset"],
  ["ConnectionReset", "reset"],
  ["ConnectionAborted", "reset"],
  ["BrokenPipe", "reset"],
  ["NotConnected", "reset"],
  ["ECANCELED", "closed"],
  ["EBADF", "closed"],
  ["BadResource", "closed"],
  ["Interrupted", "closed"],
  ["ERR_STREAM_DESTROYED", "closed"],
  ["ERR_STREAM_WRITE_AFTER_END", "closed"],
  ["ERR_SOCKET_CLOSED", "closed"],
  ["ABORT_ERR", "aborted"],
  ["AbortError", "aborted"],
  ["ENOTFOUND", "name-not-found"],
  ["ENODATA", "name-not-found"],
  ["ENONAME", "name-not-found"],
  ["EADDRINUSE", "address-in-use"],
  ["AddrInUse", "address-in-use"],
  ["EADDRNOTAVAIL", "address-not-available"],
  ["AddrNotAvailable", "address-not-available"],
  ["EACCES", "permission-denied"],
  ["EPERM", "permission-denied"],
  ["NotCapable", "permission-denied"],
  ["PermissionDenied", "permission-denied"],
  ["EMFILE", "too-many-files"],
  ["ENFILE", "too-many-files"],
  ["ENOBUFS", "too-many-files"],
]);

const STATES: Readonly<Record<NetErrorCode, string>> = {
  "refused": "connection refused",
  "unreachable-network": "network unreachable",
  "unreachable-host": "host unreachable",
  "timeout": "timed out",
  "reset": "connection reset",
  "closed": "connection closed",
  "aborted": "aborted",
  "name-not-found": "name not found",
  "lookup-failed": "lookup failed",
  "address-in-use": "address already in use",
  "address-not-available": "address not available",
  "permission-denied": "permission denied",
  "too-many-files": "too many open files",
  "not-allowed": "not allowed",
  "not-supported": "not supported",
  "unknown": "unknown error",
};

/** What was tried when the error came; some codes mean something else then. */
export type Attempt = "connect" | "listen" | "lookup" | "transfer";

/**
 * Makes a {@linkcode NetError} of whatever a runtime threw.
 *
 * @param error What was thrown; a `NetError` is returned as it is.
 * @param action What was tried, as the message says it: `Cannot connect to "192.0.2.1:80"`.
 * @param attempt What was tried, as the table needs it.
 */
export function toNetError(error: unknown, action: string, attempt: Attempt = "transfer"): NetError {
  if (error instanceof NetError) return error;
  const code = codeOf(error, attempt);
  const state = code === "unknown" && error instanceof Error && error.message !== "" ? error.message : STATES[code];
  return new NetError(code, `${action}: ${state}`, { cause: error });
}

/** A {@linkcode NetError} that has no error of the runtime behind it. */
export function newNetError(code: NetErrorCode, action: string): NetError {
  return new NetError(code, `${action}: ${STATES[code]}`);
}

/** The error of a wait that its signal ended: the signal's reason if that is a {@linkcode NetError}. */
export function abortError(signal: Abortable, action: string): NetError {
  const reason: unknown = signal.reason;
  return reason instanceof NetError ? reason : new NetError("aborted", `${action}: aborted`, { cause: reason });
}

function codeOf(error: unknown, attempt: Attempt): NetErrorCode {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
  const word = typeof code === "string" ? code : typeof name === "string" ? name : "";
  const found = CODES.get(word) ?? (typeof name === "string" ? CODES.get(name) : undefined);
  // A host without IPv6 fails to connect with "address not available": for the client that is an unreachable network.
  if (found === "address-not-available" && attempt === "connect") return "unreachable-network";
  if (found === "unreachable-network" && attempt === "listen") return "address-not-available";
  // What Deno makes of EADDRNOTAVAIL and, for IPv6, of ENETUNREACH.
  if (word === "EINVAL" && attempt === "listen") return "address-not-available";
  if (word === "EINVAL" && attempt === "connect") return "unreachable-network";
  if (attempt === "lookup") return found === "name-not-found" || found === "aborted" ? found : "lookup-failed";
  return found ?? (word.startsWith("EAI_") ? "lookup-failed" : "unknown");
}
