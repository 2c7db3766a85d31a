/**
 * The flags that are settings, and what the help says of them.
 *
 * @module
 */

import { type Command, Option } from "commander";
import { formatDuration } from "../config/duration.ts";
import { DEFAULT_TIMEOUTS } from "../server/options.ts";

/**
 * Adds the flags that are settings, and `--config`.
 *
 * @param command The command that takes them.
 */
export function addSettingFlags(command: Command): void {
  command.optionsGroup("Where it listens:");
  list(command, "--listen <HOST:PORT>", "where to listen; also [IPv6]:PORT and unix:PATH", "127.0.0.1:1080");
  single(command, "--advertise <ADDRESS>", "the IP address that BIND and UDP replies state", "the server's own");
  onOff(command, "--mixed", "serve HTTP proxying on the same ports (default: where all of them are on loopback)");
  onOff(command, "--no-mixed", "serve SOCKS alone");
  single(command, "--udp-ports <FROM-TO>", "the ports that take clients' UDP datagrams", "any");

  command.optionsGroup("Who may use it, and for what:");
  list(
    command,
    "--user <NAME:PASSWORD>",
    "somebody who may log in; with users everybody has to. Others on this machine can see flags: keep passwords that " +
      "matter in a file",
    "no users",
  );
  single(command, "--users-file <FILE>", "a file with users, as passwd writes it", "none");
  onOff(command, "--open", "serve other machines without users: anybody who reaches the server may use it");
  onOff(
    command,
    "--resolve-commands",
    "let all clients ask for lookups, by Tor's RESOLVE (default: those on this machine)",
  );
  onOff(command, "--no-resolve-commands", "let no client ask for lookups");
  onOff(command, "--allow-private", "let other machines reach loopback, private and link-local addresses through it");
  single(command, "--otherwise <WORD>", "where no rule decides: what the safe defaults say, allow or deny", "safe");
  onOff(command, "--ident", "check SOCKS4 user ids with IDENT (RFC 1413)");
  onOff(command, "--trust-user-ids", "believe SOCKS4 user ids that are users' names: no password, no IDENT");
  single(command, "--max-sessions <NUMBER>", "sessions at once; further clients wait", "no limit");

  command.optionsGroup("How it gets there:");
  list(
    command,
    "--via <NAME|URL>",
    "leave through a proxy: the name of a way out, or a URL such as socks5h://USER:PASSWORD@HOST:1080; several, " +
      "repeated or separated by commas, are a chain, the nearest first. Others on this machine can see flags",
    "direct",
  );
  list(command, "--upstream <NAME=URL>", "a way out with a name, for rules and --via; commas make a chain", "none");
  list(
    command,
    "--forward <LISTEN=HOST:PORT>",
    "a port that leads to one target, as with ssh -L: 127.0.0.1:8080=intranet.example:80, or udp:… for UDP",
    "none",
  );
  list(command, "--resolver <ADDRESS>", "a name server to ask: IP, IP:PORT or [IPv6]:PORT", "the system's");
  list(command, "--outgoing-address <ADDRESS>", "an address of this machine to leave from", "the system chooses");
  single(command, "--prefer <FAMILY>", "ipv4 or ipv6 first, or ipv4-only or ipv6-only", "the resolver's order");

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
  single(command, "--drain-timeout <TIME>", "for sessions to finish after the signal to stop", "30s");

  command.optionsGroup("Everything else:");
  command.option(
    "--config <FILE>",
    "read settings from a .yaml, .toml, .json or .jsonc file; flags and SOCKS_… variables win over it",
  );
  onOff(command, "--watch", "load the settings again when a file that they came from changes");
  single(command, "--reload <MODE>", "what becomes of running sessions then: keep or recheck", "keep");
  single(command, "--run-as <USER[:GROUP]>", "who to become once it listens", "who starts it");
  single(command, "--log-level <LEVEL>", "how much to log: debug, info, warning or error", "info");
  single(command, "--log-format <FORMAT>", "text, json, or auto: text on a terminal and json elsewhere", "auto");
  single(command, "--log-file <FILE>", "log to a file; SIGUSR1 or SIGUSR2 opens it again", "standard error");
}

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
