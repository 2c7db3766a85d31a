/**
 * The flags of `socks-server` and what its help says.
 *
 * @module
 */

import { Command, Option } from "commander";
import { formatDuration } from "../config/duration.ts";
import type { Flags } from "../config/flags.ts";
import { DEFAULT_TIMEOUTS } from "../server/options.ts";
import { runtimeVersion, VERSION } from "./version.ts";

/** What was given on the command line. */
export interface ServeArguments {
  /** The settings. */
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

  command.optionsGroup("Where it listens:");
  list(command, "--listen <HOST:PORT>", "where to listen; also [IPv6]:PORT and unix:PATH", "127.0.0.1:1080");
  single(command, "--advertise <ADDRESS>", "the IP address that BIND and UDP replies state", "the server's own");
  single(command, "--udp-ports <FROM-TO>", "the ports that take clients' UDP datagrams", "any");

  command.optionsGroup("Who may use it, and for what:");
  list(
    command,
    "--user <NAME:PASSWORD>",
    "somebody who may log in; with users everybody has to. Others on this machine can see flags: keep passwords that " +
      "matter in a file",
    "no users",
  );
  onOff(command, "--open", "serve other machines without users: anybody who reaches the server may use it");
  onOff(command, "--allow-private", "let other machines reach loopback, private and link-local addresses through it");
  onOff(command, "--ident", "check SOCKS4 user ids with IDENT (RFC 1413)");

  command.optionsGroup("How long it waits (a time is 3, 3s, 2m, 1h or 500ms; 0 is no limit):");
  single(
    command,
    "--handshake-timeout <TIME>",
    "for greeting, login and request",
    formatDuration(DEFAULT_TIMEOUTS.handshake),
  );
  single(command, "--connect-timeout <TIME>", "to connect to a target", formatDuration(DEFAULT_TIMEOUTS.connect));
  single(command, "--bind-timeout <TIME>", "for the peer of a BIND", formatDuration(DEFAULT_TIMEOUTS.bind));
  single(command, "--idle-timeout <TIME>", "for a byte in either direction", formatDuration(DEFAULT_TIMEOUTS.idle));

  command.optionsGroup("Everything else:");
  command.option(
    "--config <FILE>",
    "read settings from a .json file: the flags' names in camelCase, listen and users as lists; flags win over it",
  );
  single(command, "--log-level <LEVEL>", "how much to log: debug, info, warning or error", "info");
  command.version(`socks-server ${VERSION} (${runtimeVersion()})`, "--version", "print the version");
  command.helpOption("-h, --help", "print this help");

  command.action(async (words: string[], given: GivenOptions) => {
    const { user, config, version: _version, ...flags } = given;
    await action({ flags: { ...flags, users: user }, file: config, words });
  });
  return command;
}

/** As commander names them. */
type GivenOptions = Omit<Flags, "users"> & {
  readonly user?: readonly string[];
  readonly config?: string;
  readonly version?: string;
};

function single(command: Command, flag: string, description: string, standard: string): void {
  command.addOption(new Option(flag, `${description} (default: ${standard})`));
}

/** Given again, it adds to the list. */
function list(command: Command, flag: string, description: string, standard: string): void {
  const option = new Option(flag, `${description} (repeatable, default: ${standard})`);
  command.addOption(option.argParser((value: string, former: string[] = []) => [...former, value]));
}

function onOff(command: Command, flag: string, description: string): void {
  command.addOption(new Option(flag, description));
}
