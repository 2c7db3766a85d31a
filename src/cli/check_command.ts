/**
 * The command that checks a proxy.
 *
 * @module
 */

import { Command } from "commander";
import type { Target } from "../protocol/address.ts";
import { readTarget, readTimeout } from "./connect_command.ts";

/** What was given on the command line. */
export interface CheckArguments {
  /** The proxy's URL. */
  readonly url: string | undefined;
  /** What follows `--via-file`. */
  readonly viaFile?: string | undefined;
  /** Where to connect to. */
  readonly target?: Target | undefined;
  /** How long each trial may take, in milliseconds. */
  readonly timeout: number;
  /** Whether nothing is measured. */
  readonly quick: boolean;
  /** Whether it prints JSON. */
  readonly json: boolean;
}

const EPILOGUE = `
It starts a target of its own, at the address that it reaches the proxy from, and has the proxy lead there: with each
protocol, by address and by name, with BIND and UDP, with ends and handshakes in every form, and to where nobody is. At
most 32 MiB go each way, for a second each, and the whole takes at most a minute. A proxy on another machine has to be
able to connect to this one; name a target that it reaches if it is not. Then what needs our own is left out.

Without a URL it checks the proxy of SOCKS_VIA or ALL_PROXY.

Examples:
  $ socks-server check socks5h://127.0.0.1:1080
  $ socks-server check socks5h://ada:lovelace@proxy.example:1080 --target example.com:443
  $ socks-server check --via-file ~/.ssh/proxies --json | jq -r .verdict

Verdicts:
  good       all that programs rely on works
  usable     bytes come through, but something is lacking that programs rely on
  unusable   nothing comes through

Exit codes:
  0    good or usable
  1    unusable, or it cannot be reached
  2    a mistake in the flags, the variables or the file`;

/**
 * Makes the command `check`.
 *
 * @param action What it does.
 */
export function checkCommand(action: (given: CheckArguments) => Promise<void>): Command {
  return new Command("check")
    .description("Says whether a proxy is worth using, and what it can and cannot do.")
    .argument("[url]", "the proxy, such as socks5h://ada:lovelace@127.0.0.1:1080")
    .option("--via-file <FILE>", "a file with the URL, so that nobody sees its password in ps")
    .option("--target <HOST:PORT>", "where the proxy is to lead (default: a target of the check's own)", readTarget)
    .option("--timeout <TIME>", "how long each trial may take (default: 5s)", readTimeout)
    .option("--quick", "do not measure how fast it is")
    .option("--json", "print JSON")
    .addHelpText("after", EPILOGUE)
    .action((url: string | undefined, given: Partial<CheckArguments>) =>
      action({ timeout: DEFAULT_TIMEOUT, quick: false, json: false, ...given, url })
    );
}

const DEFAULT_TIMEOUT = 5_000;
