/**
 * The command that tries rules.
 *
 * @module
 */

import { Command, InvalidArgumentError, Option } from "commander";
import { loadConfig } from "../config/load.ts";
import { parseIp } from "../net/address.ts";
import { parseEndpoint } from "../net/endpoint.ts";
import { RULE_COMMANDS, type RuleCommand } from "../policy/rule.ts";
import { type Target, targetOf } from "../protocol/address.ts";
import { tryRules } from "./rules_trial.ts";
import type { Terminal } from "./terminal.ts";

const TEST_HELP = `
Nothing is looked up and nobody is connected to. For a name, rules about addresses cannot be decided until it is
resolved: say with --address what it would resolve to.

Examples:
  $ socks-server rules test --config config.yaml --from 192.0.2.7 --user ada example.com:443
  $ socks-server rules test --config config.yaml --from 192.0.2.7 --address 10.0.0.5 intranet.example.com:443
  $ socks-server rules test --config config.yaml --from 192.0.2.7 --at 2026-01-05T22:30:00Z 198.51.100.1:25

Exit codes:
  0    it is allowed
  1    it is denied, or depends on the address
  2    a mistake in the flags or in the settings`;

/**
 * Makes the command `rules`.
 *
 * @param terminal Where the program was started.
 * @param exit Takes the exit code.
 */
export function rulesCommand(terminal: Terminal, exit: (code: number) => void): Command {
  const rules = new Command("rules").description("Tries the rules of settings.");
  const { env, readFile, fileMode } = terminal;
  rules.command("test").description("Says which rule decides on a request, and why.")
    .argument("<target>", "where to: HOST:PORT or [IPv6]:PORT", readTarget)
    .option("--config <FILE>", "the file with the settings (default: SOCKS_CONFIG)")
    .option("--from <IP>", "where the client is (default: 127.0.0.1)", readIp)
    .option("--listener <LISTENER>", "the listener that it came to, by name or address (default: the first)")
    .option("--user <NAME>", "who logged in (default: nobody)")
    .option("--group <GROUP>", "a group of the user (repeatable, default: those of the settings)", collect)
    .addOption(
      new Option("--command <COMMAND>", "what is asked for").choices(RULE_COMMANDS).default("connect"),
    )
    .option("--at <TIME>", "when, such as 2026-01-05T22:30:00Z (default: now)", readTime)
    .option("--address <IP>", "the address that the name resolves to", readIp)
    .addHelpText("after", TEST_HELP)
    .action(async (target: Target, given: GivenFlags) => {
      const { config: file, from = "127.0.0.1", at = Date.now(), ...rest } = given;
      const { config } = await loadConfig({ flags: {}, env, file, readFile, fileMode, areForServer: false });
      const asked = rest.command === "resolve" ? { ...target, port: 0 } : target; // a lookup has no port
      const { lines, isAllowed } = tryRules(config, { target: asked, from, at, ...rest });
      for (const line of lines) terminal.out(line);
      exit(isAllowed ? 0 : 1);
    });
  return rules;
}

/** As commander names them. */
interface GivenFlags {
  readonly config?: string;
  readonly from?: string;
  readonly listener?: string;
  readonly user?: string;
  readonly group?: readonly string[];
  readonly command: RuleCommand;
  readonly at?: number;
  readonly address?: string;
}

function readTarget(text: string): Target {
  try {
    const endpoint = parseEndpoint(text);
    if ("host" in endpoint) return targetOf(endpoint.host, endpoint.port);
  } catch {
    // Told below.
  }
  throw new InvalidArgumentError("expected HOST:PORT or [IPv6]:PORT");
}

function readIp(text: string): string {
  const ip = parseIp(text);
  if (ip === undefined) throw new InvalidArgumentError("expected an IP address");
  return ip;
}

function readTime(text: string): number {
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError("expected a time such as 2026-01-05T22:30:00Z");
  return time;
}

function collect(value: string, former: readonly string[] = []): readonly string[] {
  return [...former, value];
}
