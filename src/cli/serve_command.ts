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
Further commands, each with a --help of its own:
  config check   say whether settings are right, and all that is wrong
  config show    show the settings that are in effect
  config schema  print a JSON Schema of settings, for editors
  rules test     say which rule decides on a request, and why
  connect        put standard input and output through a proxy, for ssh
  bridge         serve browsers, which cannot log in to a proxy, through one
  check          say whether a proxy is worth using, and what it can do
  passwd         make a user with a hashed password
  service        print a unit for systemd, or a filter for fail2ban

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

  Everything through another proxy, which is left to resolve the names:
    $ socks-server --via socks5h://127.0.0.1:9050

  A port of this machine that leads to one target, through that proxy; --listen adds the usual ones:
    $ socks-server --forward 127.0.0.1:8080=intranet.example:80 --via socks5h://127.0.0.1:9050

  With the settings in a file, config.yaml (or .toml, .json, .jsonc):
    $ socks-server --config config.yaml
    listen: ["0.0.0.0:1080"]
    users:
      - { name: ada, password: { file: ada.secret }, groups: [staff] }
    rules:
      - { action: allow, groups: [staff], to: [.example.com], ports: [443] }
    otherwise: deny

Environment:
  Every flag has a variable: SOCKS_IDLE_TIMEOUT for --idle-timeout, and so on, SOCKS_CONFIG for --config. Items of lists
  are separated by commas, those of SOCKS_USER and SOCKS_UPSTREAM by the ends of lines. Flags win over variables, those
  over the file.

Signals:
  SIGINT (Ctrl+C) and SIGTERM stop listening and let the sessions finish, for the drain timeout; a second one ends them.
  SIGHUP loads the settings again. SIGUSR1 and SIGUSR2 open the log file again; on Deno take SIGUSR2, since Deno itself
  opens its debugger on SIGUSR1.

Exit codes:
  0    stopped by a signal, all sessions over or their time; also after --help and --version
  1    cannot listen, or failed while running
  2    a mistake in the flags, the variables or the file
  130  ended by a second SIGINT (143: SIGTERM)`;

/**
 * Makes the command that serves.
 *
 * @param action What it does.
 */
export function serveCommand(action: (given: ServeArguments) => Promise<void>): Command {
  const command = new Command("serve")
    .description("A proxy server for SOCKS4, SOCKS4a, SOCKS5 and HTTP.")
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
