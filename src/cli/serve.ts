/**
 * The command that serves.
 *
 * @module
 */

import type { Config } from "../config/config.ts";
import { EXPOSURE_ADVICE } from "../config/load.ts";
import { serveOptions } from "../config/options.ts";
import { printable } from "../config/printable.ts";
import { formatAddress, isUnixAddress, type SocketAddress, type UnixAddress } from "../net/address.ts";
import { NetError } from "../net/errors.ts";
import { classifyIp } from "../net/ip_class.ts";
import { serve, type Server } from "../server/server.ts";
import { watchFaults } from "./faults.ts";
import { listenProblem } from "./listen_problem.ts";
import { startLog } from "./log.ts";
import { sessionObserver } from "./session_log.ts";
import { untilStopped } from "./stop.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Serves until it is stopped.
 *
 * @param config The settings.
 * @param terminal Where it was started.
 * @returns The exit code.
 */
export async function runServer(config: Config, terminal: Terminal): Promise<number> {
  const logger = startLog({ level: config.logLevel ?? "info", write: terminal.err, dated: !terminal.isLive });
  watchFaults(logger);
  let server: Server;
  try {
    server = await serve({ ...serveOptions(config), observer: sessionObserver(logger) });
  } catch (error) {
    if (error instanceof NetError) {
      terminal.err(listenProblem(error));
      return 1;
    }
    // A listener whose name leads to another place than loopback: only the server could tell.
    if (error instanceof TypeError && config.open !== true && (config.users ?? []).length === 0) {
      terminal.err(`${printable(error.message)}; ${EXPOSURE_ADVICE}`);
      return 2;
    }
    throw error;
  }
  for (const line of announcement(server.addresses, (config.users ?? []).length > 0)) terminal.out(line);
  return await untilStopped(server, terminal.out);
}

/**
 * Says where the server listens and, if anybody here may use it, how to try it.
 *
 * @param addresses Where it listens.
 * @param hasUsers Whether clients must log in.
 * @returns The lines.
 */
export function announcement(addresses: readonly (SocketAddress | UnixAddress)[], hasUsers: boolean): string[] {
  const lines = addresses.map((address) =>
    `Listening on ${printable(formatAddress(address))} (SOCKS4, SOCKS4a, SOCKS5)`
  );
  const here = addresses.find((address) => !isUnixAddress(address) && classifyIp(address.ip) === "loopback");
  if (here !== undefined && !hasUsers) {
    lines.push(`Try: curl --socks5-hostname ${formatAddress(here)} https://example.com`);
  }
  return lines;
}
