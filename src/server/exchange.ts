/**
 * A request and the way to answer it, whatever the dialect.
 *
 * @module
 */

import type { CommandName, ProtocolName } from "../policy/rules.ts";
import { NO_ADDRESS, type Target } from "../protocol/address.ts";
import { Command, Reply } from "../protocol/constants.ts";
import type { SocketAddress } from "../net/address.ts";
import type { RelayJob } from "../runtime/runtime.ts";
import type { Channel } from "../stream/channel.ts";
import type { CloseCause } from "./observer.ts";

/** The two ends that a granted request joins. */
export type Tunnel = Pick<RelayJob, "client" | "target">;

/** How a session ended. */
export interface Ending {
  readonly cause: CloseCause;
  readonly reason?: string;
}

/** Writes a reply in a dialect; nothing if there is none to write. */
export type EncodeReply = (reply: number, bound: Target) => Uint8Array;

/** One request. */
export class Exchange {
  readonly protocol: ProtocolName;
  readonly command: CommandName;
  readonly target: Target;
  /** Whether a reply has been sent: then the only answer left is to close. */
  replied = false;
  readonly #channel: Channel;
  readonly #encode: EncodeReply;

  constructor(protocol: ProtocolName, command: number, target: Target, channel: Channel, encode: EncodeReply) {
    this.protocol = protocol;
    this.command = COMMAND_NAMES[command]!;
    this.target = command > Command.UDP_ASSOCIATE ? { ...target, port: 0 } : target; // a lookup has no port
    this.#channel = channel;
    this.#encode = encode;
  }

  /**
   * Grants the request.
   *
   * @param bound BND.ADDR and BND.PORT; zeros if there is no such address.
   */
  grant(bound: SocketAddress | Target | undefined): Promise<void> | undefined {
    this.replied = true;
    const stated = bound === undefined ? NO_ADDRESS : "host" in bound ? bound : addressTarget(bound);
    const message = this.#encode(Reply.SUCCEEDED, stated);
    return message.length === 0 ? undefined : this.#channel.write(message);
  }

  /**
   * Refuses it.
   *
   * @param reply REP, never 0.
   * @param _error Why, for dialects that can say more than that.
   */
  refuse(reply: number, _error?: unknown): Promise<void> | undefined {
    this.replied = true;
    return this.#channel.write(this.#encode(reply, NO_ADDRESS));
  }
}

const COMMAND_NAMES: Record<number, CommandName> = {
  [Command.CONNECT]: "connect",
  [Command.BIND]: "bind",
  [Command.UDP_ASSOCIATE]: "udp-associate",
  [Command.RESOLVE]: "resolve",
  [Command.RESOLVE_PTR]: "resolve-ptr",
};

/** An address as a target. */
export function addressTarget({ ip, port }: SocketAddress): Target {
  return { type: ip.includes(":") ? "ipv6" : "ipv4", host: ip, port };
}
