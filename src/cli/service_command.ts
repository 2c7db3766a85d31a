/**
 * The command that prints what the system's services need.
 *
 * @module
 */

import { Command, InvalidArgumentError } from "commander";
import { resolve } from "node:path";
import { parseIp } from "../net/address.ts";
import { parseEndpoint } from "../net/endpoint.ts";
import { FAIL2BAN_FILTER } from "./fail2ban_filter.ts";
import { programCommand } from "./program_command.ts";
import { serviceUnit, socketUnit } from "./systemd_unit.ts";

const EXAMPLES = `
Examples:
  A service that starts with the machine, its settings in /etc/socks-server/config.yaml:
    # socks-server service systemd > /etc/systemd/system/socks-server.service
    # systemctl daemon-reload && systemctl enable --now socks-server

  The same, started for its first client; systemd listens for it:
    # socks-server service systemd --socket --listen 0.0.0.0:1080 > /etc/systemd/system/socks-server.socket
    # systemctl daemon-reload && systemctl enable --now socks-server.socket

  A service of your own, without root:
    $ socks-server service systemd --user > ~/.config/systemd/user/socks-server.service
    $ systemctl --user daemon-reload && systemctl --user enable --now socks-server

  A ban for addresses that try passwords:
    # socks-server service fail2ban > /etc/fail2ban/filter.d/socks-server.conf`;

/**
 * Makes the command `service`.
 *
 * @param out Takes what it prints.
 */
export function serviceCommand(out: (text: string) => void): Command {
  const service = new Command("service")
    .description("Prints what the system needs to run the server as a service.")
    .addHelpText("after", EXAMPLES);

  service.command("systemd")
    .description("Prints a hardened unit for systemd.")
    .option("--user", "for your own service manager (systemctl --user)")
    .option("--socket", "the socket unit that goes with the service")
    .option("--listen <ADDRESS>", "where the socket unit listens (repeatable, default: 127.0.0.1:1080)", addPlace)
    .option("--config <FILE>", "the settings (default: config.yaml in /etc/socks-server or ~/.config/socks-server)")
    .option("--low-ports", "allow ports below 1024")
    .action(({ user, socket, listen, config, lowPorts }: SystemdFlags) => {
      const text = socket === true
        ? socketUnit(listen ?? ["127.0.0.1:1080"], user)
        : serviceUnit({ command: programCommand(), user, config: config && resolve(config), lowPorts });
      out(text.trimEnd());
    });

  service.command("fail2ban")
    .description("Prints a filter for fail2ban, and how a jail uses it.")
    .action(() => out(FAIL2BAN_FILTER.trimEnd()));
  return service;
}

/** As commander names them. */
interface SystemdFlags {
  readonly user?: boolean;
  readonly socket?: boolean;
  readonly listen?: readonly string[];
  readonly config?: string;
  readonly lowPorts?: boolean;
}

/** Systemd looks no names up, and knows a path by its slash. */
function addPlace(value: string, former: readonly string[] = []): readonly string[] {
  try {
    const place = parseEndpoint(value.startsWith("/") ? `unix:${value}` : value);
    const isPlace = "path" in place
      ? /^\/[^\n]+$/.test(place.path)
      : parseIp(place.host) !== undefined && place.port > 0;
    if (isPlace) return [...former, "path" in place ? place.path : value];
  } catch {
    // As with what is none.
  }
  throw new InvalidArgumentError("expected an address such as 0.0.0.0:1080, [::]:1080 or unix:/PATH");
}
