import type { CaseName } from "../cases.ts";

/** The ports of the target, on 127.0.0.1. */
export interface TargetPorts {
  /** Sends without an end. */
  readonly source: number;
  /** Sends back what it gets, until a message begins with {@linkcode QUIT}. */
  readonly echo: number;
  /** Sends {@linkcode MESSAGE_SIZE} bytes back and closes. */
  readonly once: number;
  /** UDP: sends back what it gets. */
  readonly udp: number;
}

/** One measurement, as the load generator is told of it. */
export interface Job {
  readonly name: CaseName;
  /** The port of the SOCKS5 server on 127.0.0.1; undefined to go without one. */
  readonly proxy: number | undefined;
  readonly target: TargetPorts;
  /** The root processes of the server, whose CPU time and memory are measured. */
  readonly roots: readonly number[];
  readonly seconds: number;
  readonly warmupSeconds: number;
  readonly idleTunnels: number;
  /** When to give up, whatever the state. */
  readonly limitSeconds: number;
}

/** What a measurement found. */
export interface Finding {
  /** The headline figure in the case's unit. */
  readonly value: number;
  /** How many connections, tunnels or packets failed. */
  readonly errors: number;
  /** The first failure's message. */
  readonly problem?: string;
  /** Further figures. */
  readonly detail: Readonly<Record<string, number>>;
}

/** The length of messages in bytes. */
export const MESSAGE_SIZE = 64;

/** The first byte of a message that asks the target to close. */
export const QUIT = "Q".charCodeAt(0);
