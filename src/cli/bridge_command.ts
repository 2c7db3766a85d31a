/**
 * The command that serves this machine through another proxy.
 *
 * @module
 */

import { Command } from "commander";
import { addViaFlags, type ViaArguments } from "./via_arguments.ts";

/** What was given on the command line. */
export interface BridgeArguments extends ViaArguments {
  /** Where to listen. */
  readonly listen?: readonly string[] | undefined;
  /** Whether names are resolved here with `socks5://`. */
  readonly lookupHere?: boolean | undefined;
  /** Whether other machines may use it. */
  readonly open?: boolean | undefined;
  /** How much to log. */
  readonly logLevel?: string | undefined;
  /** How lines of the log look. */
  readonly logFormat?: string | undefined;
}

const EPILOGUE = `
Browsers cannot log in to a SOCKS proxy. Here they need not: the bridge takes SOCKS4, SOCKS5 and HTTP on one port of this
machine, without a login, and logs in to the proxy for them. All goes through it, names too.

It is short for socks-server --mixed --via …: for rules, limits and more than one way out use that.

Examples:
  $ socks-server bridge --via socks5://ada:lovelace@proxy.example:1080
  $ chromium --proxy-server=socks5://127.0.0.1:1080
  $ curl --proxy http://127.0.0.1:1080 https://example.com

  With the password in a file, or in a variable, and not in ps; the file is read again at SIGHUP:
    $ echo 'socks5://ada:lovelace@proxy.example:1080' > ~/.proxy && chmod 600 ~/.proxy
    $ socks-server bridge --via-file ~/.proxy
    $ SOCKS_VIA=socks5://ada:lovelace@proxy.example:1080 socks-server bridge

Exit codes are those of socks-server.`;

/**
 * Makes the command `bridge`.
 *
 * @param action What it does.
 */
export function bridgeCommand(action: (given: BridgeArguments) => Promise<void>): Command {
  const command = new Command("bridge")
    .description("Serves this machine without a login, all through another proxy.");
  addViaFlags(command, "the proxy, such as socks5://ada:lovelace@proxy.example:1080");
  return command
    .option("--listen <HOST:PORT>", "where to listen (repeatable, default: 127.0.0.1:1080)", collect)
    .option("--lookup-here", "resolve names on this machine with socks5:// (default: the proxy does)")
    .option("--open", "serve other machines: anybody who reaches the bridge may use it")
    .option("--log-level <LEVEL>", "how much to log: debug, info, warning or error (default: info)")
    .option("--log-format <FORMAT>", "text, json, or auto: text on a terminal and json elsewhere (default: auto)")
    .addHelpText("after", EPILOGUE)
    .action((given: BridgeArguments) => action(given));
}

function collect(value: string, former: readonly string[] = []): readonly string[] {
  return [...former, value];
}
