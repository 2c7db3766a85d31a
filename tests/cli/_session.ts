import type { SessionInfo, SessionSummary } from "../../src/server/observer.ts";

/** A session that asked for example.com, with other fields as given. */
export function sessionOf(fields: Partial<SessionInfo> = {}): SessionInfo {
  return {
    id: 12,
    openedAt: 0,
    client: { ip: "127.0.0.1", port: 52344 },
    listener: { ip: "127.0.0.1", port: 1080 },
    isLocal: true,
    signal: new AbortController().signal,
    protocol: "socks5",
    user: { name: "ada" },
    command: "connect",
    target: { type: "name", host: "example.com", port: 443 },
    address: { ip: "93.184.216.34", port: 443 },
    rule: undefined,
    log: "all",
    ...fields,
  };
}

/** A session that never asked for anything. */
export function silentSession(): SessionInfo {
  return sessionOf({ protocol: undefined, user: undefined, command: undefined, target: undefined, address: undefined });
}

/** The account of a session that finished, with other fields as given. */
export function summaryOf(fields: Partial<SessionSummary> = {}): SessionSummary {
  return { sent: 1229, received: 49_152, duration: 3_100, cause: "finished", reason: undefined, ...fields };
}
