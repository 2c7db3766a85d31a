/**
 * Units for systemd.
 *
 * @module
 */

/** What a service unit is made of. */
export interface ServiceUnitOptions {
  /** The command that runs the program. */
  readonly command: readonly string[];
  /** Whether it is for a user's own service manager. */
  readonly user?: boolean | undefined;
  /** Whether it may listen on ports below 1024. */
  readonly lowPorts?: boolean | undefined;
  /**
   * The file of settings.
   *
   * @default `config.yaml` in `/etc/socks-server` or `~/.config/socks-server`.
   */
  readonly config?: string | undefined;
}

/** What runs as long as the seccomp filter lets it: the same for the system's and a user's manager. */
const CONFINED = `NoNewPrivileges=yes
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0077
# MemoryDenyWriteExecute= is missing: JavaScript is compiled while it runs.`;

/**
 * Writes a service unit that gives the program what it needs and nothing else.
 *
 * @param options What it is made of.
 */
export function serviceUnit({ command, user = false, lowPorts = false, config }: ServiceUnitOptions): string {
  const file = config === undefined ? "%E/socks-server/config.yaml" : escapeWord(config);
  const folder = user ? "~/.config/systemd/user" : "/etc/systemd/system";
  const systemctl = user ? "systemctl --user" : "systemctl";
  return `# ${folder}/socks-server.service
# ${systemctl} daemon-reload && ${systemctl} enable --now socks-server
${user ? "" : homeAdvice(command)}
[Unit]
Description=SOCKS proxy server
${user ? "" : "Wants=network-online.target\nAfter=network-online.target\n"}
[Service]
Type=notify
# The program speaks through systemd-notify, which is a process of its own.
NotifyAccess=all
ExecStart=${[...command.map(escapeWord), "--config", file].join(" ")}
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
RestartSec=1s
LimitNOFILE=524288
SyslogIdentifier=socks-server
StateDirectory=socks-server
CacheDirectory=socks-server
LogsDirectory=socks-server
WorkingDirectory=%S/socks-server
Environment=DENO_DIR=%C/socks-server

${user ? "" : ownUser(command, lowPorts)}${CONFINED}

[Install]
WantedBy=${user ? "default.target" : "multi-user.target"}
`;
}

/** Namespaces of its own would take the right to low ports away. */
function ownUser(command: readonly string[], lowPorts: boolean): string {
  const capability = lowPorts ? "CAP_NET_BIND_SERVICE" : "";
  return `# A user that exists while the service runs. It must be able to read the settings and what they name. For files that are
# not for everybody, such as users that root made with "socks-server passwd", take a group of another name:
#   groupadd --system socks-users
#   chgrp socks-users /etc/socks-server/users && chmod 640 /etc/socks-server/users
# LoadCredential= would do as long as users stay: systemd reads the file when it starts the service, not at a reload.
#SupplementaryGroups=socks-users
DynamicUser=yes
CapabilityBoundingSet=${capability}
AmbientCapabilities=${capability}
${lowPorts ? "" : "PrivateUsers=yes\n"}ProtectSystem=strict
ProtectHome=${isInHome(command) ? "read-only" : "yes"}
ProtectProc=invisible
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateDevices=yes
PrivateTmp=yes
RemoveIPC=yes
`;
}

function homeAdvice(command: readonly string[]): string {
  return isInHome(command)
    ? "# The program lies in a home directory, which its user may not read: better install it elsewhere.\n"
    : "";
}

function isInHome(command: readonly string[]): boolean {
  return command.some((word) => /^\/(?:home|root|run\/user)\//.test(word));
}

/**
 * Writes a socket unit that goes with the service: systemd listens, and starts the service for the first client.
 *
 * @param listen Where to listen, as systemd writes it: `127.0.0.1:1080`, `[::1]:1080`, a path.
 * @param user Whether it is for a user's own service manager.
 */
export function socketUnit(listen: readonly string[], user = false): string {
  const folder = user ? "~/.config/systemd/user" : "/etc/systemd/system";
  const systemctl = user ? "systemctl --user" : "systemctl";
  return `# ${folder}/socks-server.socket, beside socks-server.service
# ${systemctl} daemon-reload && ${systemctl} enable --now socks-server.socket
# These sockets stand in for what the settings say under "listen".

[Unit]
Description=Sockets of the SOCKS proxy server

[Socket]
${listen.map((place) => `ListenStream=${place.replaceAll("%", "%%")}\n`).join("")}NoDelay=yes
# What rules call this listener.
FileDescriptorName=socks

[Install]
WantedBy=sockets.target
`;
}

/** A word of a command line, as systemd reads it. */
function escapeWord(word: string): string {
  const plain = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[\w@%+=:,./$-]+$/.test(plain)) return plain;
  return `"${plain.replaceAll(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}
