/**
 * Authentication methods of SOCKS5 behind one interface.
 *
 * @module
 */

import type { Channel } from "../stream/channel.ts";
import type { ClientInfo, User } from "./client_info.ts";

/** A METHOD of RFC 1928 section 3. */
export interface AuthMethod {
  /** Its number, 00 to FE. */
  readonly code: number;
  /**
   * Runs the subnegotiation, after the method has been chosen.
   *
   * @param channel The client.
   * @param client Who it is.
   * @returns The user, or `undefined` for a client that need not be one.
   * @throws {AuthenticationError} If the client has not proven to be anyone; it has been told.
   */
  negotiate(channel: Channel, client: ClientInfo): Promise<User | undefined>;
}

/** A client that could not prove who it is. */
export class AuthenticationError extends Error {
  /** Always `AuthenticationError`. */
  override readonly name = "AuthenticationError";
}

/**
 * Chooses a method.
 *
 * @param accepted What the server accepts, in its order of preference.
 * @param offered What the client offers.
 * @returns The first accepted one that is offered.
 */
export function chooseMethod(accepted: readonly AuthMethod[], offered: readonly number[]): AuthMethod | undefined {
  return accepted.find(({ code }) => offered.includes(code));
}
