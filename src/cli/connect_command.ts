/**
 * The command that connects standard input and output.
 *
 * @module
 */

import { Command, InvalidArgumentError } from "commander";
import { parseDuration } from "../config/duration.ts";
import { parseEndpoint } from "../net/endpoint.ts";
import { type Target, targetOf } from "../protocol/address.ts";
import { addViaFlags, type ViaArguments } from "./via_arguments.ts";

/** What was given on the command line. */
export interface ConnectArguments extends ViaArguments {
  /** Where to. */
  readonly target: Target;
  /** How long the connecting may take, in milliseconds. */
  readonly timeout: number;
  /** The file with settings that name ways out. */
  readonly config?: string | undefined;
}

const EPILOGUE = `
Without --via it goes through the proxy of SOCKS_VIA or ALL_PROXY, and directly to what NO_PROXY names. With socks5h,
socks4a and http the proxy looks names up; with socks5 and socks4 this machine does.

The end of standard input is passed on while the other direction goes on, and so is that of the target.

Examples:
  SSH through a SOCKS proxy:
    $ ssh -o ProxyCommand='socks-server connect %h:%p --via socks5h://127.0.0.1:1080' ada@example.com

  The same for all hosts of a network, in ~/.ssh/config, through a chain with a login in a file:
    Host *.internal.example
      ProxyCommand socks-server connect %h:%p --via-file ~/.ssh/proxies

  By hand:
    $ printf 'GET / HTTP/1.0\\r\\n\\r\\n' | socks-server connect example.com:80 --via socks5h://127.0.0.1:1080

Exit codes:
  0    both directions ended in order
  1    it cannot connect, or the connection broke; standard error says at which proxy, how far it got, and the reply
  2    a mistake in the flags, the variables or the file`;

/**
 * Makes the command `connect`.
 *
 * @param action What it does.
 */
export function connectCommand(action: (given: ConnectArguments) => Promise<void>): Command {
  const command = new Command("connect")
    .description("Connects standard input and output to a target, through a proxy or a chain of them.")
    .argument("<target>", "where to: HOST:PORT or [IPv6]:PORT", readTarget);
  addViaFlags(command, "a proxy, such as socks5h://ada:lovelace@127.0.0.1:1080, or with --config a name");
  return command
    .option("--config <FILE>", "a file with settings that name ways out (upstreams)")
    .option("--timeout <TIME>", "how long connecting may take (default: 30s)", readTimeout)
    .addHelpText("after", EPILOGUE)
    .action((target: Target, given: ViaArguments & { timeout?: number; config?: string }) =>
      action({ timeout: DEFAULT_TIMEOUT, ...given, target })
    );
}

const DEFAULT_TIMEOUT = 30_000;

/** Reads `HOST:PORT` for commander. */
export function readTarget(text: string): Target {
  try {
    const endpoint = parseEndpoint(text);
    if ("host" in endpoint && endpoint.port > 0) return targetOf(endpoint.host, endpoint.port);
  } catch {
    // Told below.
  }
  throw new InvalidArgumentError("expected HOST:PORT or [IPv6]:PORT");
}

/** Reads a time limit for commander. */
export function readTimeout(text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined || duration === 0) throw new InvalidArgumentError("expected a time such as 10s or 500ms");
  return duration;
}
