/**
 * Failures to listen, and ways out of them.
 *
 * @module
 */

import { printable } from "../config/printable.ts";
import type { NetError, NetErrorCode } from "../net/errors.ts";

const ADVICE: Partial<Record<NetErrorCode, string>> = {
  "address-in-use":
    "Another program listens there, perhaps this one started twice; `ss -lnp` or `lsof -i` shows which. Stop it, or " +
    "choose another port: --listen 127.0.0.1:1081 (port 0 takes any that is free).",
  "permission-denied":
    "Ports below 1024 are for privileged programs: choose a higher one, such as --listen 127.0.0.1:1080.",
  "address-not-available":
    "No interface of this machine has that address; `ip address` or `ifconfig` shows those it has. 0.0.0.0 and [::] " +
    "stand for all of them.",
  "name-not-found": "A listener's name must resolve to addresses of this machine: try the IP address.",
  "lookup-failed": "A listener's name must resolve to addresses of this machine: try the IP address.",
  "too-many-files": "The limit on open files is reached: raise it with `ulimit -n`.",
};

/** Runtimes tell apart neither a folder that is missing from one that is closed, nor either from anything else. */
const UNIX_ADVICE = "The folder of the socket must exist, and be writable for this program.";

/**
 * Says why the server cannot listen, and what helps.
 *
 * @param error What `serve` threw.
 * @returns One line or two.
 */
export function listenProblem(error: NetError): string {
  const isUnix = error.message.includes('"unix:') && error.code !== "address-in-use";
  const advice = isUnix ? UNIX_ADVICE : ADVICE[error.code];
  return advice === undefined ? printable(error.message) : `${printable(error.message)}\n${advice}`;
}
