/**
 * What a check found, for people and for programs.
 *
 * @module
 */

import type { Finding, Outcome, TrialName } from "../client/check_finding.ts";
import type { ProxyCheck } from "../client/check_proxy.ts";
import type { Speed } from "../client/check_speed.ts";
import { formatByteCount } from "./byte_count.ts";

/** The group that each trial is of, and its words. */
const TITLES: Readonly<Record<TrialName, readonly [string, string]>> = {
  "socks5": ["Protocols", "SOCKS5"],
  "socks4": ["Protocols", "SOCKS4"],
  "socks4a": ["Protocols", "SOCKS4a"],
  "http": ["Protocols", "HTTP CONNECT"],
  "names": ["Reach", "looks names up"],
  "ipv6": ["Reach", "IPv6"],
  "bind": ["Reach", "BIND"],
  "udp": ["Reach", "UDP ASSOCIATE"],
  "login-required": ["Login", "wants one"],
  "wrong-password": ["Login", "refuses a wrong password"],
  "half-close": ["Streams", "passes our end on"],
  "half-close-back": ["Streams", "passes the target's end on"],
  "split": ["Streams", "handshake byte by byte"],
  "pipelined": ["Streams", "handshake all at once"],
  "refused": ["Replies", "target refused"],
  "unknown-name": ["Replies", "unknown name"],
  "unreachable": ["Replies", "unreachable address"],
  "unknown-command": ["Replies", "unknown command"],
  "unknown-address-type": ["Replies", "unknown address type"],
};

const WORDS: Readonly<Record<Outcome, string>> = { yes: "yes", no: "no", unclear: "vague", skipped: "-" };
const WIDTH = Math.max(...Object.values(TITLES).map(([, title]) => title.length));

/**
 * Lines for a finding.
 *
 * @param finding The finding.
 * @param before The one before it, which tells whether a group begins.
 */
export function findingLines({ name, outcome, detail }: Finding, before: Finding | undefined): readonly string[] {
  const [group, title] = TITLES[name];
  const begins = before === undefined || TITLES[before.name][0] !== group;
  const line = `  ${title.padEnd(WIDTH)}  ${WORDS[outcome].padEnd(5)}  ${detail}`.trimEnd();
  return begins ? ["", group, line] : [line];
}

/** A line for how fast it is; its times are medians. */
export function speedLine({ connect, roundTrip, up, down }: Speed): string {
  const parts = [`${milliseconds(connect)} to connect`];
  if (roundTrip !== undefined) parts.push(`${milliseconds(roundTrip)} there and back`);
  if (up !== undefined) parts.push(`${formatByteCount(up)}/s up`);
  if (down !== undefined) parts.push(`${formatByteCount(down)}/s down`);
  return `Speed: ${parts.join(", ")}`;
}

/** The verdict. */
export function verdictLine({ verdict, faults }: ProxyCheck): string {
  const word = `${verdict[0]!.toUpperCase()}${verdict.slice(1)}`;
  return faults.length === 0 ? `${word}: all that programs rely on works` : `${word}: ${faults.join("; ")}`;
}

/**
 * All of it, in JSON. Times are in milliseconds, rates in bytes a second.
 *
 * @param proxy The proxy's URL, without its login.
 * @param check What was found.
 */
export function checkJson(proxy: string, { verdict, faults, findings, speed }: ProxyCheck): string {
  const rounded = speed === undefined ? undefined : {
    connect: Math.round(speed.connect * 100) / 100,
    ...speed.roundTrip !== undefined && { roundTrip: Math.round(speed.roundTrip * 100) / 100 },
    ...speed.up !== undefined && { up: Math.round(speed.up) },
    ...speed.down !== undefined && { down: Math.round(speed.down) },
  };
  return JSON.stringify({ proxy, verdict, faults, findings, speed: rounded }, null, 2);
}

function milliseconds(time: number): string {
  return `${time < 10 ? time.toFixed(2) : Math.round(time)} ms`;
}
