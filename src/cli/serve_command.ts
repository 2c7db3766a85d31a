/**
 * The flags of `socks-server` and what its help says.
 *
 * @module
 */

import { Command } from "commander";
import type { Flags } from "../config/flags.ts";
import { addSettingFlags } from "./setting_flags.ts";
import { runtimeVersion, VERSION } from "./version.ts";

/** What was given on the command line. */
export interface ServeArguments {
  /** The settings, by the flags' names in camelCase. */
  readonly flags: Flags;
  /** What follows `--config`. */
  readonly file: string | undefined;
  /** Words that are no flags; there should be none. */
  readonly words: readonly string[];
}

const EPILOGUE = `
Examples:
  A proxy for yourself, on this machine, and a way to try it:
    $ socks-server
    $ curl --socks5-hostname 127.0.0.1:1080 https://example.com

  For other machines on the network, with a login:
    $ socks-server --listen 0.0.0.0:1080 --user ada:lovelace
    $ curl --proxy socks5h://ada:lovelace@192.0.2.7:1080 https://example.com

  On a UNIX socket, for programs of this machine:
    $ socks-server --listen unix:/run/user/1000/socks.sock
    $ curl --proxy socks5h://localhost/run/user/1000/socks.sock https://example.com

  With the settings and the passwords in a file, config.json:
    $ socks-server --config config.json
    { "listen": ["0.0.0.0:1080"], "idleTimeout": "1h", "users": [{ "name": "ada", "password": "lovelace" }] }

Signals:
  SIGINT (Ctrl+C) and SIGTERM stop listening and let the sessions finish, for at most 30 s; a second one ends them.

Exit codes:
  0    stopped by a signal, all sessions over or their 30 s; also after --help and --version
  1    cannot listen, or failed while running
  2    a mistake in the flags or in the file
  130  ended by a second SIGINT (143: SIGTERM)`;

/**
 * Makes the command that serves.
 *
 * @param action What it does.
 */
export function serveCommand(action: (given: ServeArguments) => Promise<void>): Command {
  const command = new Command("serve")
    .description("A proxy server for SOCKS4, SOCKS4a and SOCKS5, with CONNECT, BIND and UDP.")
    .helpOption(false)
    .allowExcessArguments()
    .argument("[words...]")
    .addHelpText("after", EPILOGUE);
  command.configureHelp({ commandUsage: () => "socks-server [flags]", visibleArguments: () => [] });

  addSettingFlags(command);
  command.version(`socks-server ${VERSION} (${runtimeVersion()})`, "--version", "print the version");
  command.helpOption("-h, --help", "print this help");

  command.action(async (words: string[], given: GivenOptions) => {
    const { config, version: _version, ...flags } = given;
    await action({ flags, file: config, words });
  });
  return command;
}

/** As commander names them. */
type GivenOptions = Flags & {
  readonly config?: string;
  readonly version?: string;
};
